import type { LinkIdentity } from "@ostiary/contracts";
import { afterAll, beforeAll, expect, it } from "vitest";
import { NO_PERMISSIONS, type RequestContext } from "../../kernel/context.ts";
import { aMailbox } from "../../testing/mailbox.ts";
import { holding, refusal, type TwoTenants, twoTenants } from "../../testing/two-tenants.ts";
import { setPassword } from "../credentials/index.ts";
import { createSession } from "../sessions/index.ts";
import { updateUser } from "../users/index.ts";
import { linkAccount, linkIdentity, listIdentities, proveAccount, unlinkIdentity } from "./identities.ts";

let world: TwoTenants;
beforeAll(async () => {
  world = await twoTenants();
});
afterAll(() => world[Symbol.asyncDispose]());

let count = 0;
const unique = (prefix: string) => `${prefix}${++count}`;
const anIdentity = (kind = "open_id"): LinkIdentity => ({ provider: "feishu", kind, subject: unique("ou_") });

/** Somebody who has just signed in. */
async function aPerson(): Promise<{ id: string; context: RequestContext }> {
  const { deps, context } = world;
  const id = await world.aUser(unique("user"));
  const { session } = await createSession(deps, context, { userId: id, amr: ["pwd"] });
  const own = { ...context, actor: { type: "user", id } as const, permissions: NO_PERMISSIONS };
  return { id, context: { ...own, sessionId: session.id } };
}

const subjects = async (userId: string) =>
  (await listIdentities(world.deps, world.context, userId)).map(({ subject }) => subject);

it("moves from one account to another when the same person proves both", async () => {
  const { deps, context } = world;
  const [work, home] = [await aPerson(), await aPerson()];
  const identity = anIdentity();
  await linkIdentity(deps, context, work.id, identity);
  const { token } = await proveAccount(deps, work.context);
  await linkAccount(deps, home.context, token);
  expect([await subjects(work.id), await subjects(home.id)]).toEqual([[], [identity.subject]]);
  expect(await refusal(linkAccount(deps, home.context, token))).toBe("identity.proof_refused");
});

it("works once when both tabs send it, and not for the account itself or in another tenant", async () => {
  const { deps, foreign } = world;
  const [work, one, two] = [await aPerson(), await aPerson(), await aPerson()];
  const { token } = await proveAccount(deps, work.context);
  expect(await refusal(linkAccount(deps, work.context, token))).toBe("identity.proof_refused");
  expect(await refusal(linkAccount(deps, { ...one.context, tenantId: foreign.tenantId }, token))).toBe(
    "authentication.stale",
  );
  const outcomes = await Promise.all([one, two].map((who) => refusal(linkAccount(deps, who.context, token))));
  expect(outcomes.sort()).toEqual(["fulfilled", "identity.proof_refused"]);
});

it("needs both sign-ins to be recent, and the person himself", async () => {
  const { deps, clock } = world;
  const [work, home] = [await aPerson(), await aPerson()];
  const { token } = await proveAccount(deps, work.context);
  clock.advance(601);
  const late = await aPerson();
  expect(await refusal(linkAccount(deps, late.context, token))).toBe("identity.proof_refused");
  expect(await refusal(proveAccount(deps, home.context))).toBe("authentication.stale");
  const fresh = await aPerson();
  const helped = { ...fresh.context, impersonatorId: work.id };
  expect(await refusal(proveAccount(deps, helped))).toBe("impersonation.not_allowed");
});

it("moves nothing where both accounts have one of a kind", async () => {
  const { deps, context } = world;
  const [work, home] = [await aPerson(), await aPerson()];
  await linkIdentity(deps, context, work.id, anIdentity());
  await linkIdentity(deps, context, home.id, anIdentity());
  const { token } = await proveAccount(deps, work.context);
  expect(await refusal(linkAccount(deps, home.context, token))).toBe("identity.taken");
  expect(await subjects(work.id)).toHaveLength(1);
});

it("of one person is no other's", async () => {
  const { deps, context } = world;
  const [ann, bob] = [await aPerson(), await aPerson()];
  const identity = anIdentity();
  await linkIdentity(deps, context, ann.id, identity);
  expect(await refusal(linkIdentity(deps, context, bob.id, identity))).toBe("identity.taken");
  const [linked] = await listIdentities(deps, context, ann.id);
  expect(await refusal(unlinkIdentity(deps, bob.context, bob.id, linked?.id ?? ""))).toBe(
    "identity.not_found",
  );
  expect(await refusal(unlinkIdentity(deps, bob.context, ann.id, linked?.id ?? ""))).toBe(
    "permission.denied",
  );
  expect(await refusal(listIdentities(deps, bob.context, ann.id))).toBe("permission.denied");
});

it("is not taken away as the last thing to sign in with", async () => {
  const { deps, context } = world;
  const ann = await aPerson();
  const { id } = await linkIdentity(deps, context, ann.id, anIdentity());
  expect(await refusal(unlinkIdentity(deps, ann.context, ann.id, id))).toBe("identity.last");
  await setPassword(deps, context, ann.id, { plain: "correct horse battery staple" });
  const { session } = await createSession(deps, context, { userId: ann.id, amr: ["pwd"] });
  await unlinkIdentity(deps, { ...ann.context, sessionId: session.id }, ann.id, id);
  expect(await subjects(ann.id)).toEqual([]);
});

it("is set by administrators who have the user's rights", async () => {
  const { deps, context } = world;
  const boss = await world.aUser(unique("boss"), ["administrator"]);
  const clerk = holding(context, ["user:write"]);
  expect(await refusal(linkIdentity(deps, clerk, boss, anIdentity()))).toBe("permission.escalation");
  expect(await refusal(linkIdentity(deps, holding(context, []), boss, anIdentity()))).toBe(
    "permission.denied",
  );
});

it("is told to the person at the confirmed address", async () => {
  const mailbox = aMailbox();
  const deps = { ...world.deps, sender: mailbox.sender };
  const ann = await aPerson();
  await linkIdentity(deps, world.context, ann.id, anIdentity("user_id"));
  expect(await mailbox.newest(deps, "ann@example.com")).toBeUndefined();
  await updateUser(deps, world.context, ann.id, { email: "ann@example.com", emailVerified: true });
  await linkIdentity(deps, world.context, ann.id, anIdentity());
  expect((await mailbox.newest(deps, "ann@example.com"))?.text).toContain("linked with Feishu");
});

it("takes no proof of who was in before the password was changed", async () => {
  const { deps, context, clock } = world;
  const [victim, thief] = [await aPerson(), await aPerson()];
  await linkIdentity(deps, context, victim.id, anIdentity());
  const { token } = await proveAccount(deps, victim.context); // by the thief, in the victim's session
  clock.advance(1);
  await setPassword(deps, context, victim.id, { plain: "correct horse battery staple" });
  expect(await refusal(linkAccount(deps, thief.context, token))).toBe("identity.proof_refused");
  expect(await subjects(victim.id)).toHaveLength(1);
});
