import { afterAll, beforeAll, expect, it } from "vitest";
import type { RequestContext } from "../../kernel/context.ts";
import {
  audited,
  holding,
  refusal,
  refusals,
  type TwoTenants,
  twoTenants,
} from "../../testing/two-tenants.ts";
import { assignRoles, createRole, unassignRoles } from "../access/index.ts";
import { createApiKey, deleteApiKey, updateApiKey } from "../api-keys/index.ts";
import { changePassword, setPassword } from "../credentials/index.ts";
import { rememberGrant } from "../grants/index.ts";
import {
  checkRecentAuthentication,
  createSession,
  deriveSession,
  findSession,
  findSessionByCookie,
  renewSession,
  revokeSession,
  type Session,
} from "../sessions/index.ts";
import { suspendUser, updateUser } from "../users/index.ts";
import { cancelIdentifierChange } from "./change-identifier.ts";
import {
  allowImpersonation,
  beginImpersonation,
  endImpersonation,
  findImpersonation,
} from "./impersonation.ts";
import { startSignedInFlow } from "./start-flow.ts";

let world: TwoTenants;
let admin: RequestContext;
let own: { session: Session; cookie: string };
let adminId: string;
let ann: string;

beforeAll(async () => {
  world = await twoTenants();
  adminId = await world.aUser("admin", ["administrator"]);
  ann = await world.aUser("ann");
  admin = holding(world.context, ["*"], adminId);
  own = await createSession(world.deps, world.context, { userId: adminId, amr: ["pwd", "otp", "mfa"] });
});
afterAll(() => world[Symbol.asyncDispose]());

const tokenOf = (url: string) => new URL(url).searchParams.get("token") ?? "";

async function allow(who = admin, userId = ann): Promise<string> {
  return tokenOf((await allowImpersonation(world.deps, who, userId, { reason: "ticket 1" })).url);
}

async function begin(): Promise<{ session: Session; cookie: string; as: RequestContext }> {
  const begun = await beginImpersonation(world.deps, world.context, own.session, await allow());
  const actor = { type: "user", id: ann } as const;
  const as = { ...world.context, actor, sessionId: begun.session.id, impersonatorId: adminId };
  return { ...begun, as };
}

const alive = async (id: string) => (await findSession(world.deps, world.context.tenantId, id)) !== null;

it("begins a session that says who acts, how he was authenticated and why", async () => {
  const { session, cookie } = await begin();
  expect(session).toMatchObject({
    userId: ann,
    impersonatorId: adminId,
    impersonationReason: "ticket 1",
    amr: ["pwd", "otp", "mfa"],
    parentId: own.session.id,
  });
  expect((await findSessionByCookie(world.deps, world.context.tenantId, cookie))?.impersonatorId).toBe(
    adminId,
  );
});

it("needs the permission, a person, and all that the user may do", async () => {
  const { deps } = world;
  const boss = await world.aUser("boss", ["administrator"]);
  const helper = await world.aUser("helper");
  const ask = (context: RequestContext, userId: string) =>
    refusal(allowImpersonation(deps, context, userId, { reason: "ticket 2" }));
  expect(await ask(holding(world.context, ["user:write"], helper), ann)).toBe("permission.denied");
  expect(await ask(holding(world.context, ["user:impersonate"], helper), ann)).toBe("fulfilled");
  expect(await ask(holding(world.context, ["user:impersonate"], helper), boss)).toBe("permission.escalation");
  expect(await ask(holding(world.context, ["*"]), ann)).toBe("authentication.required");
  expect(await ask(admin, adminId)).toBe("impersonation.not_allowed");
  expect(await ask({ ...admin, impersonatorId: boss }, ann)).toBe("impersonation.not_allowed");
  expect(await ask(admin, "0".repeat(24))).toBe("user.not_found");
  const gone = await world.aUser("gone");
  await suspendUser(deps, world.context, gone);
  expect(await ask(admin, gone)).toBe("user.suspended");
  expect(await ask(holding(world.foreign, ["*"], adminId), ann)).toBe("user.not_found");
});

it("asks again when the link is opened: rights may have gone meanwhile", async () => {
  const { deps, context } = world;
  const helper = await world.aUser("second-helper");
  const his = await createSession(deps, context, { userId: helper, amr: ["pwd"] });
  const token = await allow(holding(context, ["user:impersonate"], helper));
  expect(await refusal(beginImpersonation(deps, context, his.session, token))).toBe("permission.denied");
});

it("works once, in time, and in the browser of the one who asked", async () => {
  const { deps, context, clock } = world;
  const other = await createSession(deps, context, { userId: await world.aUser("other"), amr: ["pwd"] });
  const token = await allow();
  expect(await refusal(beginImpersonation(deps, context, other.session, token))).toBe(
    "impersonation.refused",
  );
  const tabs = Array.from({ length: 6 }, () =>
    refusal(beginImpersonation(deps, context, own.session, token)),
  );
  const outcomes = await Promise.all(tabs);
  expect(outcomes.filter((outcome) => outcome === "fulfilled")).toHaveLength(1);
  expect(new Set(outcomes)).toEqual(new Set(["fulfilled", "impersonation.refused"]));
  const late = await allow();
  clock.advance(301);
  expect(await refusal(findImpersonation(deps, context, own.session, late))).toBe("impersonation.refused");
});

it("leaves credentials, identifiers and consent alone", async () => {
  const { deps, context } = world;
  const { session, as } = await begin();
  const token = await allow();
  const allRights = { ...as, permissions: new Set(["*"]) };
  const { apiKey } = await createApiKey(deps, context, { name: "his", type: "user", userId: ann });
  const tried = [
    changePassword(deps, as, ann, "old", "correct horse battery"),
    setPassword(deps, allRights, ann, { plain: "correct horse battery" }),
    updateUser(deps, allRights, ann, { email: "thief@example.com" }),
    createApiKey(deps, as, { name: "k", type: "user", userId: ann }),
    updateApiKey(deps, as, apiKey.id, { status: "disabled" }),
    deleteApiKey(deps, allRights, apiKey.id),
    cancelIdentifierChange(deps, as, "0".repeat(24)),
    rememberGrant(deps, as, ann, "0".repeat(24), ["openid"]),
    startSignedInFlow(deps, as, { browser: "b", continuation: {}, session }),
    checkRecentAuthentication(deps, as),
    allowImpersonation(deps, allRights, adminId, { reason: "and further" }),
    findImpersonation(deps, context, session, token),
  ];
  expect(await refusals(tried)).toEqual(["impersonation.not_allowed"]);
});

it("cannot become the user's own session by a sign-in in the same browser", async () => {
  const { deps, context } = world;
  const { session } = await begin();
  const renewed = await deps.database.transaction((tx) =>
    renewSession(deps, tx, context, session.id, { userId: ann, amr: ["pwd"] }),
  );
  expect(renewed).toBeUndefined();
});

it("ends in the administrator's own session, with all that was opened in it", async () => {
  const { deps, context } = world;
  const { session, as } = await begin();
  const ticket = await deriveSession(deps, context, session, { slot: "ticket" });
  expect(ticket.session.impersonatorId).toBe(adminId);
  expect(await endImpersonation(deps, context, session, own.cookie)).toEqual({ cookie: own.cookie });
  expect(await alive(session.id)).toBe(false);
  expect(await alive(ticket.session.id)).toBe(false);
  expect(await alive(own.session.id)).toBe(true);
  expect(await refusal(endImpersonation(deps, as, own.session, undefined))).toBe("impersonation.not_allowed");
});

it("does not return to a session that somebody put into the browser", async () => {
  const { deps, context } = world;
  const { session } = await begin();
  const foreign = await createSession(deps, context, { userId: adminId, amr: ["pwd"] });
  expect(await endImpersonation(deps, context, session, foreign.cookie)).toEqual({ cookie: null });
});

it("ends after half an hour, used or not, and with the administrator's own session", async () => {
  const { deps, context, clock } = world;
  const { session } = await begin();
  clock.advance(1_801);
  expect(await alive(session.id)).toBe(false);
  const fresh = await createSession(deps, context, { userId: adminId, amr: ["pwd"] });
  const second = await beginImpersonation(deps, context, fresh.session, await allow());
  const ticket = await deriveSession(deps, context, second.session, { slot: "ticket" });
  await revokeSession(deps, context, fresh.session.id, "signed out");
  expect([await alive(second.session.id), await alive(ticket.session.id)]).toEqual([false, false]);
});

it("is in the audit log with both names", async () => {
  const { deps, context } = world;
  const user = await world.aUser("audited");
  const fresh = await createSession(deps, context, { userId: adminId, amr: ["pwd"] });
  const begun = await beginImpersonation(deps, context, fresh.session, await allow(admin, user));
  await endImpersonation(deps, context, begun.session, fresh.cookie);
  const entries = await audited(world, user, 4);
  expect(entries.map(({ type, actorId }) => [type, actorId])).toEqual([
    ["impersonation.ended", user],
    ["impersonation.begun", adminId],
    ["impersonation.allowed", adminId],
    ["user.created", null],
  ]);
  expect(entries[0]?.data).toMatchObject({ impersonatorId: adminId });
});

it("ends when the administrator loses the right, or the user gets one that he has not", async () => {
  const { deps, context } = world;
  const { tenantId } = context;
  await createRole(deps, context, { code: "support", permissions: ["user:impersonate", "user:read"] });
  await createRole(deps, context, { code: "reader", permissions: ["user:read"] });
  await createRole(deps, context, { code: "writer", permissions: ["user:write"] });
  const [helper, user] = [
    await world.aUser("third-helper", ["support"]),
    await world.aUser("bob", ["reader"]),
  ];
  const his = await createSession(deps, context, { userId: helper, amr: ["pwd"] });
  const rights = holding(context, ["user:impersonate", "user:read"], helper);
  const { session, cookie } = await beginImpersonation(deps, context, his.session, await allow(rights, user));
  const ticket = await deriveSession(deps, context, session, { slot: "ticket" });
  const all = () =>
    Promise.all([
      alive(session.id),
      alive(ticket.session.id),
      findSessionByCookie(deps, tenantId, cookie),
      findSessionByCookie(deps, tenantId, ticket.cookie, { slot: "ticket" }),
    ]);
  const change = async (verb: typeof assignRoles, userId: string, role: string) => {
    await verb(deps, context, userId, [role]);
    deps.feed.publish([`user:${userId}`, `access:${tenantId}`]);
  };
  expect(await all()).toEqual([true, true, expect.anything(), expect.anything()]);
  await change(assignRoles, user, "writer");
  expect(await all()).toEqual([false, false, null, null]);
  await change(unassignRoles, user, "writer");
  expect(await alive(session.id)).toBe(true);
  await change(unassignRoles, helper, "support");
  expect(await all()).toEqual([false, false, null, null]);
  expect(await alive(his.session.id)).toBe(true);
});
