/** Failures of other identity servers of the last years, tried here. Each test has the name of the failure. */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createApplication, findApplication } from "../../packages/server/src/domain/applications/index.ts";
import type { Deps } from "../../packages/server/src/domain/deps.ts";
import { createSession, findSessionByCookie } from "../../packages/server/src/domain/sessions/index.ts";
import {
  changeIdentifier,
  choosePassword,
  type Flow,
  findFlow,
  flowView,
  giveCode,
  giveIdentifier,
  givePassword,
  sendCode,
  signInDirectly,
  startFlow,
  startRecovery,
  takeFinishedFlow,
} from "../../packages/server/src/domain/sign-in/index.ts";
import {
  PASSWORD,
  type SignIns,
  signIns,
} from "../../packages/server/src/domain/sign-in/testing/a-sign-in.ts";
import {
  createAuthorizationCode,
  redeemCode,
  rotateRefreshToken,
} from "../../packages/server/src/domain/tokens/index.ts";
import { newSecret } from "../../packages/server/src/kernel/identifiers.ts";
import { Visitor } from "../../packages/server/src/pages/testing/visitor.ts";
import { aServer } from "../../packages/server/src/testing/a-server.ts";
import { contextOf } from "../../packages/server/src/testing/test-deps.ts";
import { refusal } from "../../packages/server/src/testing/two-tenants.ts";

const NEXT = "another horse battery staple";
const verifier = "v".repeat(43);
const codeChallenge = createHash("sha256").update(verifier).digest("base64url");

let s: SignIns;
let deps: Deps;
beforeAll(async () => {
  s = await signIns();
  ({ deps } = s);
});
afterAll(() => s[Symbol.asyncDispose]());

describe("reset flow without owning the mailbox", () => {
  const recover = async (flow: Flow, identifier?: string) =>
    startRecovery(deps, s.visitor, await s.tenant(), flow, identifier === undefined ? {} : { identifier });
  const choose = async (flow: Flow) =>
    refusal(choosePassword(deps, s.visitor, await s.tenant(), flow, { password: NEXT }));
  const give = async (flow: Flow, code: string) =>
    giveCode(deps, s.visitor, await s.tenant(), flow, { code });

  it("the step after the code cannot be taken without the code", async () => {
    await s.policy({});
    const { name } = await s.aPerson();
    const { flow } = await recover(await s.begin(), name);
    expect(await choose(flow)).toBe("flow.wrong_step");
    expect(await choose({ ...flow, state: "new-password" })).not.toBe("fulfilled");
  });

  it("the code of the thief's own account is no code of the victim's flow", async () => {
    const [victim, thief] = [await s.aPerson(), await s.aPerson()];
    const his = await recover(await s.begin(), thief.name);
    const code = await s.mailbox.code(deps, thief.email);
    const flow = (await recover(await s.begin(), victim.name)).flow;
    expect(await refusal(give(flow, code))).toBe("code.rejected");
    expect((await give(his.flow, code)).flow).toMatchObject({ state: "new-password", userId: thief.id });
  });

  it("the name cannot be changed to the victim's after the thief's code was right", async () => {
    const [victim, thief] = [await s.aPerson(), await s.aPerson()];
    const browser = newSecret();
    const begun = await s.begin({ browser });
    const his = await recover(begun, thief.name);
    const proven = await give(his.flow, await s.mailbox.code(deps, thief.email));
    const tenant = await s.tenant();
    const { flow } = await changeIdentifier(deps, s.visitor, tenant, proven.flow);
    const named = await giveIdentifier(deps, s.visitor, tenant, flow, { identifier: victim.name });
    expect(named.flow).toMatchObject({ state: "password", userId: null, amr: [] });
    expect(await choose(named.flow)).toBe("flow.wrong_step");
    // The object of before, as a second tab would still have it.
    expect(await choose({ ...proven.flow, identifier: victim.name })).toBe("flow.not_found");
  });

  it("no code goes to an address that nobody has confirmed", async () => {
    const { name, email } = await s.aPerson({ emailVerified: false });
    s.mailbox.sent.length = 0;
    const { flow } = await recover(await s.begin(), name);
    expect(flow.state).toBe("recovery");
    expect(await s.mailbox.newest(deps, email)).toBeUndefined();
    expect(await refusal(give(flow, "000000"))).toBe("code.rejected");
  });

  it("the mailbox alone is not enough where a second factor is enrolled", async () => {
    const { id, name, email } = await s.aPerson();
    await s.withTotp(id);
    const { flow } = await recover(await s.begin(), name);
    const { flow: after, cookie } = await give(flow, await s.mailbox.code(deps, email));
    expect({ state: after.state, cookie }).toEqual({ state: "second-factor", cookie: undefined });
    expect(await choose(after)).toBe("flow.wrong_step");
  });
});

describe("MFA skipped through another login path", () => {
  it("by the direct sign-in, which cannot ask", async () => {
    await s.policy({});
    const { id, name } = await s.aPerson();
    await s.withTotp(id);
    const directly = signInDirectly(deps, s.visitor, await s.tenant(), {
      applicationId: null,
      identifier: name,
      password: PASSWORD,
    });
    expect(await refusal(directly)).toBe("credential.second_factor_required");
  });

  it("by a code to the mailbox that was the first factor already", async () => {
    await s.policy({ methods: ["password", "email_code"], secondFactors: ["email_code", "totp"] });
    const { id, name, email } = await s.aPerson();
    await s.withTotp(id);
    const tenant = await s.tenant();
    const input = { identifier: name, channel: "email" } as const;
    const asked = await sendCode(deps, s.visitor, tenant, await s.begin(), input);
    const code = await s.mailbox.code(deps, email);
    const { flow } = await giveCode(deps, s.visitor, tenant, asked.flow, { code });
    expect(flow.state).toBe("second-factor");
    expect((await flowView(deps, s.visitor, tenant, flow)).secondFactors).toEqual(["totp"]);
    const again = sendCode(deps, s.visitor, tenant, flow, { channel: "email" });
    expect(await refusal(again)).toBe("sign_in.method_not_allowed");
    await s.policy({});
  });

  it("by going back to the first page after the password", async () => {
    const { id, name } = await s.aPerson();
    await s.withTotp(id);
    const tenant = await s.tenant();
    const { flow } = await s.withPassword(name);
    const back = await changeIdentifier(deps, s.visitor, tenant, flow);
    expect(back.flow).toMatchObject({ state: "identifier", amr: [], userId: null });
    const again = await givePassword(deps, s.visitor, tenant, back.flow, {
      identifier: name,
      password: PASSWORD,
    });
    expect(again.flow.state).toBe("second-factor");
  });
});

async function anApplication() {
  const { application } = await createApplication(deps, s.world.context, {
    slug: `app-${newSecret(6)
      .toLowerCase()
      .replace(/[^a-z0-9]/g, "x")}`,
    name: "Shop",
    redirectUris: ["https://shop.example/callback"],
    grantTypes: ["authorization_code", "refresh_token"],
    tokenEndpointAuthMethod: "none",
  });
  const found = await findApplication(deps, s.world.context.tenantId, application.id);
  if (!found) throw new Error("no application");
  return found;
}

async function anAuthorization() {
  const { context } = s.world;
  const application = await anApplication();
  const { id: userId } = await s.aPerson();
  const { session } = await createSession(deps, context, { userId, amr: ["pwd"] });
  const tenant = await s.tenant();
  const code = await createAuthorizationCode(deps, context, tenant, {
    application,
    userId,
    session,
    offline: false,
    scopes: ["openid"],
    details: { amr: ["pwd"] },
    redirectUri: null,
    codeChallenge,
  });
  const redeem = () =>
    redeemCode(deps, context, tenant, { application, code, redirectUri: null, codeVerifier: verifier });
  const rotate = (token: string) => rotateRefreshToken(deps, context, tenant, application, token, []);
  return { redeem, rotate };
}

const tally = (outcomes: readonly string[]) => ({
  won: outcomes.filter((outcome) => outcome === "fulfilled").length,
  lost: [...new Set(outcomes)].filter((outcome) => outcome !== "fulfilled"),
});

describe("code redeemed twice in parallel", () => {
  it("one of eight gets tokens, and as it was stolen those end", async () => {
    for (let round = 0; round < 5; round++) {
      const { redeem, rotate } = await anAuthorization();
      let token = "";
      const one = async () => {
        const { refreshToken } = await redeem();
        token = refreshToken ?? "";
      };
      const outcomes = await Promise.all(Array.from({ length: 8 }, () => refusal(one())));
      expect(tally(outcomes)).toEqual({ won: 1, lost: ["grant.invalid"] });
      expect(await refusal(rotate(token))).toBe("grant.invalid");
    }
  });
});

describe("refresh rotation race", () => {
  it("one of eight uses of a refresh token gets the next one, and all end with the family", async () => {
    for (let round = 0; round < 5; round++) {
      const { redeem, rotate } = await anAuthorization();
      const first = (await redeem()).refreshToken ?? "";
      let next = "";
      const one = async () => {
        const { refreshToken } = await rotate(first);
        next = refreshToken ?? "";
      };
      const outcomes = await Promise.all(Array.from({ length: 8 }, () => refusal(one())));
      expect(tally(outcomes)).toEqual({ won: 1, lost: ["grant.invalid"] });
      expect(await refusal(rotate(first))).toBe("grant.invalid");
      expect(await refusal(rotate(next))).toBe("grant.invalid");
    }
  });
});

describe("first-URI-learning", () => {
  it("an application without redirect URIs learns none from the first request that names one", async () => {
    await using server = await aServer();
    const context = contextOf(server.tenantId);
    const { application } = await createApplication(server.deps, context, { slug: "empty", name: "Empty" });
    const query = new URLSearchParams({
      client_id: application.id,
      redirect_uri: "https://evil.example/callback",
      response_type: "code",
      scope: "openid",
      code_challenge: codeChallenge,
      code_challenge_method: "S256",
    });
    for (const _attempt of [1, 2]) {
      const answer = await new Visitor(server.app).get(`/oauth/authorize?${query}`);
      expect(answer.status).toBe(400);
      expect(answer.location).not.toContain("evil.example");
    }
    const after = await findApplication(server.deps, server.tenantId, application.id);
    expect(after?.redirectUris).toEqual([]);
  });
});

describe("session fixation", () => {
  it("a session that was planted in the browser is not the one that the person gets", async () => {
    await s.policy({});
    const { context } = s.world;
    const thief = await s.aPerson();
    const victim = await s.aPerson();
    const planted = await createSession(deps, context, { userId: thief.id, amr: ["pwd"] });
    const done = await s.withPassword(victim.name, { previousSessionId: planted.session.id });
    expect(done.cookie?.split(".")[0]).not.toBe(planted.session.id);
    expect(await findSessionByCookie(deps, context.tenantId, planted.cookie)).toBeNull();
  });

  it("a session of the person's own gets another secret with every sign-in", async () => {
    const { context } = s.world;
    const victim = await s.aPerson();
    const before = await createSession(deps, context, { userId: victim.id, amr: ["pwd"] });
    const done = await s.withPassword(victim.name, { previousSessionId: before.session.id });
    expect(done.cookie).not.toBe(before.cookie);
    expect(await findSessionByCookie(deps, context.tenantId, before.cookie)).toBeNull();
    expect(await findSessionByCookie(deps, context.tenantId, done.cookie)).not.toBeNull();
  });

  it("a flow that a thief has begun cannot be finished by the victim for him", async () => {
    const { visitor } = s;
    const victim = await s.aPerson();
    const thiefs = newSecret();
    const flow = await startFlow(deps, visitor, { browser: thiefs, continuation: { protocol: "test" } });
    expect(await refusal(findFlow(deps, visitor, flow.id, newSecret()))).toBe("flow.not_found");
    const own = newSecret();
    const mine = await startFlow(deps, visitor, { browser: own, continuation: { protocol: "test" } });
    await s.withPassword(victim.name, {}, mine);
    expect(await refusal(takeFinishedFlow(deps, visitor, mine.id, thiefs))).toBe("flow.not_found");
    expect(await refusal(takeFinishedFlow(deps, visitor, mine.id, own))).toBe("fulfilled");
    expect(await refusal(takeFinishedFlow(deps, visitor, mine.id, own))).toBe("flow.not_found");
  });
});
