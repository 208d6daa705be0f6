import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { refusal } from "../../testing/two-tenants.ts";
import { createPasswordLink } from "../credentials/index.ts";
import { type SignIns, signIns } from "../sign-in/testing/a-sign-in.ts";
import { redeemMailedLink, redeemPasswordCode, requestPassword, requestPasswordCode } from "./index.ts";

const NEXT = "another horse battery staple";
const linkOf = (secret: string) => `https://front.example/password?token=${secret}`;

let s: SignIns;
beforeAll(async () => {
  s = await signIns();
});
afterAll(() => s[Symbol.asyncDispose]());

const LINK = /https?:\S+(?:token=[\w-]+|\/recover)/;

/** What the mailbox gets when the password is forgotten: a link. */
async function mailedLink(email: string): Promise<string> {
  s.mailbox.sent.length = 0;
  await requestPassword(s.deps, s.visitor, await s.tenant(), email, linkOf);
  // Nobody waits for it, so that the time says nothing.
  return vi.waitFor(async () => {
    const link = LINK.exec((await s.mailbox.newest(s.deps, email, LINK))?.text ?? "")?.[0];
    if (link === undefined) throw new Error("no link was sent");
    return link;
  });
}

const redeemLink = async (link: string, password = NEXT) => {
  const secret = new URL(link).searchParams.get("token") ?? "";
  return refusal(redeemMailedLink(s.deps, s.visitor, await s.tenant(), secret, password));
};

const redeemCode = async (email: string, code: string) => {
  const input = { email, code, password: NEXT };
  return refusal(redeemPasswordCode(s.deps, s.visitor, await s.tenant(), input, linkOf));
};

describe("whoever reads the mail and has no second factor", () => {
  it("chooses no password by a code where its owner has one and would be asked for it", async () => {
    await s.policy({ secondFactor: "enrolled" });
    const { id, email } = await s.aPerson();
    await s.withTotp(id);
    await requestPasswordCode(s.deps, s.visitor, await s.tenant(), email);
    expect(await redeemCode(email, await s.mailbox.code(s.deps, email))).toBe(
      "credential.second_factor_required",
    );
    expect((await s.withPassword(email)).flow.state).toBe("second-factor"); // the password is what it was
  });

  it("gets a link to the page that asks for it, and none that works without", async () => {
    await s.policy({ secondFactor: "enrolled" });
    const { id, email } = await s.aPerson();
    await s.withTotp(id);
    expect(await mailedLink(email)).toMatch(/\/recover$/);
    // Set up after the link was sent.
    const secret = await createPasswordLink(s.deps, s.world.context.tenantId, id, 600);
    expect(await redeemLink(linkOf(secret))).toBe("credential.second_factor_required");
  });

  it("chooses one where nobody is asked, or there is nothing to ask for", async () => {
    await s.policy({ secondFactor: "never" });
    const asked = await s.aPerson();
    await s.withTotp(asked.id);
    expect(await redeemLink(await mailedLink(asked.email))).toBe("fulfilled");
    await s.policy({ secondFactor: "enrolled" });
    const { email } = await s.aPerson();
    expect(await redeemLink(await mailedLink(email))).toBe("fulfilled");
  });
});

describe("a mailed link", () => {
  it("is not sent where only an administrator can help, and no code either", async () => {
    await s.policy({ recovery: [] });
    const { email } = await s.aPerson();
    s.mailbox.sent.length = 0;
    await requestPassword(s.deps, s.visitor, await s.tenant(), email, linkOf);
    await requestPasswordCode(s.deps, s.visitor, await s.tenant(), email);
    expect(await s.mailbox.newest(s.deps, email)).toBeUndefined();
    await s.policy({});
  });
});
