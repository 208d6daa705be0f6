import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Lies, SoftwareAuthenticator } from "../../testing/software-authenticator.ts";
import { audited, refusal, type TwoTenants, twoTenants } from "../../testing/two-tenants.ts";
import type { Deps } from "../deps.ts";
import { findTenantById } from "../tenants/index.ts";
import { suspendUser } from "../users/index.ts";
import { beginPasskey, checkPasskey, factorsOfUser, finishPasskey, passkeyChallenge } from "./index.ts";

const ORIGIN = "https://id.example.com";
let world: TwoTenants;
let deps: Deps;
let people = 0;

beforeAll(async () => {
  world = await twoTenants();
  deps = { ...world.deps, publicUrl: ORIGIN, passkeyOrigins: ["https://login.example.org"] };
});
afterAll(() => world[Symbol.asyncDispose]());

async function theTenant(id = world.context.tenantId) {
  const tenant = await findTenantById(deps, id);
  if (!tenant) throw new Error("no tenant");
  return tenant;
}
const nextUser = () => world.aUser(`person-${++people}`);
const begin = async (userId: string, subject = "flow") =>
  beginPasskey(deps, world.context, await theTenant(), userId, { subject });
const finish = async (
  userId: string,
  response: unknown,
  { subject = "flow", context = world.context } = {},
) => {
  const tenant = await theTenant(context.tenantId);
  return deps.database.transaction((tx) =>
    finishPasskey(deps, tx, context, tenant, userId, { subject, response, name: "My key" }),
  );
};
/** A user with a passkey, and the authenticator that holds it. */
async function aHolder(options: { counts?: boolean } = {}) {
  const userId = await nextUser();
  const device = new SoftwareAuthenticator(ORIGIN, options);
  const { id } = await finish(userId, device.create(await begin(userId)));
  return { userId, device, id };
}
const challenge = (subject = "flow", userId?: string) =>
  passkeyChallenge(deps, world.context, { subject, userId });
const check = (
  response: unknown,
  {
    subject = "flow",
    userId,
    context = world.context,
  }: { subject?: string; userId?: string; context?: typeof world.context } = {},
) => deps.database.transaction((tx) => checkPasskey(deps, tx, context, { subject, response, userId }));

describe("registering a passkey", () => {
  it("makes a factor of what the authenticator gives", async () => {
    const { userId, id } = await aHolder();
    expect((await factorsOfUser(deps, world.context.tenantId, userId)).passkeys).toBe(1);
    const [entry] = await audited(world, userId, 2);
    expect(entry).toMatchObject({ type: "factor.added", data: { id, kind: "passkey", name: "My key" } });
  });

  it("asks for the server's domain, no attestation, and not for one that is there", async () => {
    const { userId, device } = await aHolder();
    const options = await begin(userId);
    expect(options).toMatchObject({
      rp: { id: "id.example.com", name: "Default" },
      attestation: "none",
      excludeCredentials: [{ id: device.credentials[0]?.id.toString("base64url") }],
    });
    expect(Buffer.from(options.user.id, "base64url").toString()).toBe(world.context.tenantId + userId);
  });

  it.each<[string, Lies]>([
    ["on another site", { origin: "https://evil.example.com" }],
    ["on a sub-domain", { origin: "https://x.id.example.com" }],
    ["without TLS", { origin: "http://id.example.com" }],
    ["for another domain", { rpId: "evil.example.com" }],
    ["in a foreign frame", { crossOrigin: true }],
    ["with a challenge of its own", { challenge: randomBytes(54).toString("base64url") }],
    ["with the answer to a sign-in", { type: "webauthn.get" }],
    ["without the person", { userPresent: false }],
    ["with a huge attestation", { padding: 20_000 }],
    ["with a credential id that is too long", { credentialId: randomBytes(1_024) }],
  ])("is refused %s", async (_what, lies) => {
    const userId = await nextUser();
    const device = new SoftwareAuthenticator(ORIGIN);
    expect(await refusal(finish(userId, device.create(await begin(userId), lies)))).toBe("passkey.rejected");
    expect((await factorsOfUser(deps, world.context.tenantId, userId)).passkeys).toBe(0);
  });

  it("looks at no attestation, so that no certificate of a stranger is followed", async () => {
    const userId = await nextUser();
    const device = new SoftwareAuthenticator(ORIGIN);
    const attStmt = new Map([["x5c", [new Uint8Array(100)]]]);
    const made = device.create(await begin(userId), { fmt: "packed", attStmt });
    expect(await refusal(finish(userId, made))).toBe("fulfilled");
  });

  it("is for the user, flow and tenant that asked, within the hour, and once", async () => {
    const userId = await nextUser();
    const eve = await nextUser();
    const device = new SoftwareAuthenticator(ORIGIN);
    const made = device.create(await begin(userId));
    expect(await refusal(finish(eve, made))).toBe("passkey.rejected");
    expect(await refusal(finish(userId, made, { subject: "other" }))).toBe("passkey.rejected");
    expect(await refusal(finish(userId, made, { context: world.foreign }))).toBe("passkey.rejected");
    const outcomes = await Promise.all([1, 2, 3, 4].map(() => refusal(finish(userId, made))));
    expect(outcomes.sort()).toEqual([
      "fulfilled",
      "passkey.rejected",
      "passkey.rejected",
      "passkey.rejected",
    ]);
    const late = device.create(await begin(userId));
    world.clock.advance(3_600);
    expect(await refusal(finish(userId, late))).toBe("passkey.rejected");
  });

  it("refuses a credential that is registered, to the same user and to another", async () => {
    const { userId, device } = await aHolder();
    const credentialId = device.credentials[0]?.id ?? Buffer.alloc(0);
    const eve = await nextUser();
    const thief = new SoftwareAuthenticator(ORIGIN);
    for (const who of [userId, eve]) {
      const made = thief.create(await begin(who), { credentialId });
      expect(await refusal(finish(who, made))).toBe("passkey.already_registered");
    }
  });

  it("refuses everything that is no credential, and throws nothing else", async () => {
    const userId = await nextUser();
    const device = new SoftwareAuthenticator(ORIGIN);
    const made = device.create(await begin(userId));
    const response = made["response"] as Record<string, string>;
    const broken = (change: object) => ({ ...made, response: { ...response, ...change } });
    const deep = Buffer.alloc(12_000, 0x81).toString("base64url"); // lists in lists in lists
    const values: unknown[] = [null, 1, "x", [], {}, { ...made, id: "" }, { ...made, type: "password" }];
    for (const attestationObject of ["", "AA", "_w", deep, 7, null])
      values.push(broken({ attestationObject }));
    for (const clientDataJSON of ["", "bnVsbA", "W10", "e30", "_w"]) values.push(broken({ clientDataJSON }));
    for (const value of values) expect(await refusal(finish(userId, value))).toBe("passkey.rejected");
  });
});

describe("a passkey", () => {
  it("says who it is, and whether the device has checked the person", async () => {
    const { userId, device, id } = await aHolder();
    expect(await check(device.get(await challenge()))).toEqual({ userId, id, userVerified: true });
    const second = device.get(await challenge("flow", userId), { userVerified: false });
    expect(await check(second, { userId })).toEqual({ userId, id, userVerified: false });
  });

  it("works on the sites that the installation names", async () => {
    const { userId, device } = await aHolder();
    const there = device.get(await challenge(), { origin: "https://login.example.org" });
    expect((await check(there)).userId).toBe(userId);
  });

  it.each<[string, Lies]>([
    ["on another site", { origin: "https://evil.example.com" }],
    ["for another domain", { rpId: "evil.example.com" }],
    ["in a foreign frame", { crossOrigin: true }],
    ["with a challenge of its own", { challenge: randomBytes(54).toString("base64url") }],
    ["with the answer to a registration", { type: "webauthn.create" }],
    ["without the person", { userPresent: false }],
    ["of another user", { userHandle: Buffer.from("0".repeat(48)).toString("base64url") }],
    ["with a counter that goes back", { counter: 0 }],
    ["with an unknown id", { credentialId: randomBytes(32) }],
    ["as the only factor, of whoever holds it", { userVerified: false }],
  ])("is refused %s", async (_what, lies) => {
    const { device } = await aHolder();
    await check(device.get(await challenge()));
    expect(await refusal(check(device.get(await challenge(), lies)))).toBe("passkey.rejected");
  });

  it("is refused with the signature of another key", async () => {
    const { device } = await aHolder();
    const other = await aHolder();
    const asked = await challenge();
    const mine = device.get(asked);
    const theirs = other.device.get(asked)["response"] as { signature: string };
    const forged = { ...mine, response: { ...(mine["response"] as object), signature: theirs.signature } };
    expect(await refusal(check(forged))).toBe("passkey.rejected");
  });

  it("answers once: one of eight at once gets in, and none later", async () => {
    for (const counts of [true, false]) {
      const { device } = await aHolder({ counts });
      const answer = device.get(await challenge());
      const outcomes = await Promise.all(Array.from({ length: 8 }, () => refusal(check(answer))));
      expect(outcomes.filter((outcome) => outcome === "fulfilled")).toHaveLength(1);
      expect(await refusal(check(answer))).toBe("passkey.rejected");
    }
  });

  it("answers for the flow and tenant that asked, within the hour", async () => {
    const { device } = await aHolder();
    expect(await refusal(check(device.get(await challenge()), { subject: "other" }))).toBe(
      "passkey.rejected",
    );
    const here = device.get(await challenge());
    expect(await refusal(check(here, { context: world.foreign }))).toBe("passkey.rejected");
    const late = device.get(await challenge());
    world.clock.advance(3_600);
    expect(await refusal(check(late))).toBe("passkey.rejected");
  });

  it("as a second factor is the one of the person who has begun", async () => {
    const ann = await aHolder();
    const eve = await aHolder();
    const asked = await challenge("flow", ann.userId);
    expect(asked.allowCredentials).toHaveLength(1);
    const foreign = eve.device.get({ ...asked, allowCredentials: [] });
    expect(await refusal(check(foreign, { userId: ann.userId }))).toBe("passkey.rejected");
    // A challenge for anybody is none for one person, and the other way round.
    expect(await refusal(check(ann.device.get(asked)))).toBe("passkey.rejected");
    const anybody = ann.device.get(await challenge());
    expect(await refusal(check(anybody, { userId: ann.userId }))).toBe("passkey.rejected");
    expect((await check(ann.device.get(asked), { userId: ann.userId })).userId).toBe(ann.userId);
  });

  it("tells a guesser nothing: who has passkeys is not in the options", async () => {
    await aHolder();
    expect((await challenge()).allowCredentials ?? []).toEqual([]);
  });

  it("of a suspended user is refused by name to its holder only", async () => {
    const { userId, device } = await aHolder();
    await suspendUser(deps, world.context, userId);
    expect(await refusal(check(device.get(await challenge())))).toBe("user.suspended");
    const forged = device.get(await challenge(), { origin: "https://evil.example.com" });
    expect(await refusal(check(forged))).toBe("passkey.rejected");
  });

  it("that is refused leaves an audit entry", async () => {
    const { userId, device } = await aHolder();
    await refusal(check(device.get(await challenge(), { origin: "https://evil.example.com" })));
    const [entry] = await audited(world, userId, 3);
    expect(entry).toMatchObject({ type: "factor.refused", outcome: "refused" });
    expect(entry?.reason).toContain("https://evil.example.com");
  });

  it("needs a server with a domain name", async () => {
    for (const publicUrl of ["http://127.0.0.1:4000", "http://[::1]:4000"]) {
      const there = { ...deps, publicUrl };
      expect(await refusal(passkeyChallenge(there, world.context, { subject: "flow" }))).toBe(
        "passkey.unavailable",
      );
    }
  });
});
