import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NO_PERMISSIONS, type RequestContext } from "../../kernel/context.ts";
import { createRateLimits } from "../../platform/limits/index.ts";
import { aMailbox } from "../../testing/mailbox.ts";
import { QUIET } from "../../testing/test-deps.ts";
import { audited, holding, refusal, type TwoTenants, twoTenants } from "../../testing/two-tenants.ts";
import { createSession } from "../sessions/index.ts";
import { getTenant } from "../tenants/index.ts";
import { changeOwnUsername, findUserByIdentifier, updateUser } from "./index.ts";

const mailbox = aMailbox();
let world: TwoTenants;
beforeAll(async () => {
  world = await twoTenants();
  const { database, clock } = world;
  const limits = createRateLimits({ kind: "memory", database, clock, log: QUIET });
  Object.assign(world.deps, { sender: mailbox.sender, limits });
});
afterAll(() => world[Symbol.asyncDispose]());

let count = 0;

/** Somebody who has just signed in. */
async function aPerson(): Promise<{ id: string; username: string; context: RequestContext }> {
  const { deps, context } = world;
  const username = `user${++count}`;
  const id = await world.aUser(username);
  const { session } = await createSession(deps, context, { userId: id, amr: ["pwd"] });
  return { id, username, context: { ...holding(context, [], id), sessionId: session.id } };
}

async function change(context: RequestContext, username: string, changeUsername = true) {
  const tenant = await getTenant(world.deps, world.context, world.context.tenantId);
  const { signIn } = tenant.settings;
  const settings = { ...tenant.settings, signIn: { ...signIn, changeUsername } };
  return changeOwnUsername(world.deps, context, { ...tenant, settings }, username);
}

describe("one's own username", () => {
  it("is changed, the old one signs nobody in, and the person is told and the change recorded", async () => {
    const { deps, context } = world;
    const ann = await aPerson();
    await updateUser(deps, context, ann.id, { email: "ann@example.com", emailVerified: true });
    expect((await change(ann.context, "annie")).username).toBe("annie");
    const found = (identifier: string) => findUserByIdentifier(deps, context.tenantId, identifier);
    expect([await found(ann.username), (await found("ANNIE"))?.id]).toEqual([null, ann.id]);
    expect((await mailbox.newest(deps, "ann@example.com"))?.text).toContain("annie");
    const [entry] = await audited(world, ann.id, 3);
    expect(entry).toMatchObject({ type: "user.updated", data: { fields: ["username"] } });
    expect((await change(ann.context, "Annie")).username).toBe("Annie");
  });

  it("stays where the tenant does not allow it", async () => {
    const ann = await aPerson();
    expect(await refusal(change(ann.context, "other", false))).toBe("user.username_fixed");
  });

  it("is taken by one of two who want it at once, in whatever letters, and never somebody else's", async () => {
    const [one, two] = [await aPerson(), await aPerson()];
    const outcomes = await Promise.all([
      refusal(change(one.context, "wanted")),
      refusal(change(two.context, "WANTED")),
    ]);
    expect(outcomes.sort()).toEqual(["fulfilled", "user.username_taken"]);
    const three = await aPerson();
    expect(await refusal(change(three.context, "Wanted"))).toBe("user.username_taken");
  });

  it("is not what another types to sign in, though his address is not confirmed; one's own address is", async () => {
    const { deps, context } = world;
    const [victim, thief] = [await aPerson(), await aPerson()];
    await updateUser(deps, context, victim.id, { email: "victim@example.com", phone: "+8613900000009" });
    for (const name of ["Victim@example.com", "+86-139-0000-0009", "not-yet@example.com"]) {
      expect(await refusal(change(thief.context, name)), name).toBe("user.username_taken");
    }
    expect((await findUserByIdentifier(deps, context.tenantId, "victim@example.com"))?.id).toBe(victim.id);
    expect((await change(victim.context, "victim@example.com")).username).toBe("victim@example.com");
  });

  it("needs a sign-in of a moment ago, and the person himself", async () => {
    const ann = await aPerson();
    const helped = { ...ann.context, impersonatorId: (await aPerson()).id };
    expect(await refusal(change(helped, "helped"))).toBe("impersonation.not_allowed");
    const stranger = { ...ann.context, actor: { type: "user", id: (await aPerson()).id } as const };
    expect(await refusal(change(stranger, "strange"))).toBe("authentication.stale");
    const { sessionId: _, ...without } = ann.context;
    expect(await refusal(change({ ...without, permissions: NO_PERMISSIONS }, "bare"))).toBe(
      "authentication.stale",
    );
    world.clock.advance(601);
    expect(await refusal(change(ann.context, "late"))).toBe("authentication.stale");
  });

  it("cannot be used to ask which names there are", async () => {
    const [ann, bob] = [await aPerson(), await aPerson()];
    const asked = [];
    for (let i = 0; i < 11; i++) asked.push(await refusal(change(ann.context, bob.username)));
    expect(asked).toEqual([...Array(10).fill("user.username_taken"), "request.rate_limited"]);
  });
});
