import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listGrants, rememberGrant } from "../domain/grants/index.ts";
import { createSession } from "../domain/sessions/index.ts";
import { createUser, findUser } from "../domain/users/index.ts";
import { cookieName } from "../platform/http/cookies.ts";
import { aMailbox } from "../testing/mailbox.ts";
import { aSite } from "./testing/site.ts";
import type { Visit } from "./testing/visitor.ts";

let site: Awaited<ReturnType<typeof aSite>>;
let account: string;
const mailbox = aMailbox();

beforeAll(async () => {
  site = await aSite();
  Object.assign(site.deps, { sender: mailbox.sender });
  account = `${site.base}/account`;
});
afterAll(() => site[Symbol.asyncDispose]());

const titleOf = (page: Visit) => /<h1>([^<]*)/.exec(page.body)?.[1];

describe("the applications that somebody has allowed something", () => {
  it("are listed with what they may do, and lose it when it is taken back", async () => {
    const { id } = await site.user("ann");
    const shop = await site.application({ name: "Shop" });
    await rememberGrant(site.deps, site.admin, id, shop.id, ["openid", "email", "orders:read"]);
    const visitor = await site.signedIn("ann");
    const home = await visitor.open(account);
    expect(home.body).toContain(`href="${account}/applications"`);
    const page = await visitor.open(`${account}/applications`);
    for (const text of ["Shop", "see your e-mail address", "orders:read", 'aria-label="Take back: Shop"']) {
      expect(page.body).toContain(text);
    }
    const forged = await visitor.submit(page, { application: shop.id, csrf: "x" });
    expect([forged.status, (await listGrants(site.deps, site.admin, id)).length]).toEqual([403, 1]);
    const done = await visitor.follow(visitor.submit(page, { application: shop.id }));
    expect(done.body).toContain("Taken back.");
    expect(done.body).toContain("You have not allowed any application anything.");
    expect(await listGrants(site.deps, site.admin, id)).toEqual([]);
    for (const application of [shop.id, "x", "\0", "é".repeat(9_999), undefined]) {
      const again = await visitor.follow(visitor.submit(page, { application }));
      expect(again.status).toBeLessThan(500);
    }
  });

  it("are nobody else's to take back", async () => {
    const { id } = await site.user("bob");
    await site.user("bad");
    const shop = await site.application();
    await rememberGrant(site.deps, site.admin, id, shop.id, ["openid"]);
    const own = await site.application();
    await rememberGrant(site.deps, site.admin, (await site.user("bea")).id, own.id, ["openid"]);
    const visitor = await site.signedIn("bea");
    const page = await visitor.open(`${account}/applications`);
    await visitor.submit(page, { application: shop.id });
    expect(await listGrants(site.deps, site.admin, id)).toHaveLength(1);
  });
});

describe("the password page", () => {
  it("leads to a first password whoever has none", async () => {
    const user = { username: "cat", email: "cat@example.com", emailVerified: true };
    const { id } = await createUser(site.deps, site.admin, user);
    const { cookie } = await createSession(site.deps, site.admin, { userId: id, amr: ["otp"] });
    const visitor = site.visitor();
    visitor.cookies.set(cookieName({ secure: false, tenantSlug: site.tenant.slug }, "session"), cookie);
    const page = await visitor.open(`${account}/password`);
    expect(titleOf(page)).toBe("You have no password");
    const recover = await visitor.open(`${site.base}/recover`);
    const asked = await visitor.follow(
      visitor.submit(recover, { identifier: "cat", step: "start-recovery" }),
    );
    const code = await mailbox.code(site.deps, "cat@example.com");
    const proven = await visitor.follow(visitor.submit(asked, { step: "give-code", code }));
    const fields = { password: "purple monkey dishwasher", passwordAgain: "purple monkey dishwasher" };
    await visitor.follow(visitor.submit(proven, { step: "choose-password", ...fields }));
    expect(titleOf(await visitor.open(`${account}/password`))).toBe("Change password");
    expect((await visitor.open(account)).body).toContain("Changed just now");
  });
});

describe("staying signed in", () => {
  it("is chosen on the page of sessions, and lets the next session outlive the browser", async () => {
    const { id } = await site.user("dan");
    const visitor = await site.signedIn("dan");
    const page = await visitor.open(`${account}/sessions`);
    expect(page.body).toContain("You are signed out when you close the browser.");
    const done = await visitor.follow(visitor.submit(page, { keep: "1" }));
    expect(done.body).toContain("You stay signed in when you close the browser.");
    expect((await findUser(site.deps, site.tenant.id, id))?.preferences.keepLoggedIn).toBe(true);
    await visitor.submit(done, { keep: "0" });
    expect((await findUser(site.deps, site.tenant.id, id))?.preferences.keepLoggedIn).toBe(false);
  });
});
