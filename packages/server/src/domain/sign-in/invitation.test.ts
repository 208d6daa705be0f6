import type { CreateInvitation, Tenant } from "@ostiary/contracts";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { NO_PERMISSIONS, type RequestContext } from "../../kernel/context.ts";
import { newSecret } from "../../kernel/identifiers.ts";
import { aMailbox, type Mailbox } from "../../testing/mailbox.ts";
import { holding, refusal, type TwoTenants, twoTenants } from "../../testing/two-tenants.ts";
import { createRole, findPrincipal } from "../access/index.ts";
import type { Deps } from "../deps.ts";
import {
  acceptInvitation,
  createInvitation,
  createOrganization,
  listUnitsOfUser,
} from "../organizations/index.ts";
import { finishOutgoing } from "../outgoing/index.ts";
import { findTenantById, updateSettings } from "../tenants/index.ts";
import { findUser } from "../users/index.ts";
import { type SignUp, signUp, startFlow } from "./index.ts";

const PASSWORD = "correct horse battery staple";
let world: TwoTenants;
let deps: Deps;
let mailbox: Mailbox;
let visitor: RequestContext;

beforeAll(async () => {
  world = await twoTenants();
  visitor = { ...world.context, actor: { type: "anonymous", id: null }, permissions: NO_PERMISSIONS };
  await updateSettings(world.deps, world.context, { signUp: "closed" });
});
afterAll(() => world[Symbol.asyncDispose]());
// One queue sends for all: what a test has left must not take the next one's messages to the old mailbox.
afterEach(() => finishOutgoing(deps));
beforeEach(() => {
  mailbox = aMailbox();
  deps = { ...world.deps, sender: mailbox.sender };
});

let count = 0;
const unique = (prefix: string) => `${prefix}${++count}`;

async function tenant(): Promise<Tenant> {
  const found = await findTenantById(deps, world.context.tenantId);
  if (!found) throw new Error("no tenant");
  return found;
}

async function join(input: Omit<SignUp, "password">) {
  const flow = await startFlow(deps, visitor, { browser: newSecret(), continuation: {} });
  const { flow: done } = await signUp(deps, visitor, await tenant(), flow, { password: PASSWORD, ...input });
  const user = await findUser(deps, world.context.tenantId, done.userId ?? "");
  if (!user) throw new Error("nobody signed up");
  return user;
}

async function invite(input: CreateInvitation, who = world.context): Promise<string> {
  const { token, email } = await createInvitation(deps, who, input);
  if (token !== null) return token;
  const mail = await mailbox.newest(deps, email ?? "");
  const link = /https?:\S+\/invitation\?\S+/.exec(mail?.text ?? "")?.[0] ?? "http://none";
  return new URL(link).searchParams.get("token") ?? "";
}

it("makes an account where sign-up is closed, with what was offered", async () => {
  const { context } = world;
  const role = await createRole(deps, context, {
    code: unique("role"),
    name: "r",
    permissions: ["user:read"],
  });
  const { rootUnitId } = await createOrganization(deps, context, { code: unique("org"), name: "Example" });
  const invitation = await invite({ unitId: rootUnitId ?? "", roles: [role.code], position: "Guest" });
  expect(await refusal(join({ username: unique("ann") }))).toBe("sign_up.closed");
  const user = await join({ username: unique("ann"), invitation });
  expect(user).toMatchObject({ registerSource: "invitation", roles: [role.code], emailVerified: false });
  expect(await listUnitsOfUser(deps, context, user.id)).toMatchObject([
    { unitId: rootUnitId, position: "Guest" },
  ]);
  expect((await findPrincipal(deps, context.tenantId, user.id))?.permissionCodes).toEqual(["user:read"]);
});

it("into a role from which the policy asks a second factor makes no session without one", async () => {
  const { context } = world;
  await updateSettings(deps, context, { signIn: { secondFactorRoles: ["administrator"] } });
  const invitation = await invite({ roles: ["administrator"] });
  const flow = await startFlow(deps, visitor, { browser: newSecret(), continuation: {} });
  const input = { username: unique("boss"), password: PASSWORD, invitation };
  const { flow: after, cookie } = await signUp(deps, visitor, await tenant(), flow, input);
  expect({ state: after.state, cookie }).toEqual({ state: "enrol-factor", cookie: undefined });
  await updateSettings(deps, context, { signIn: { secondFactorRoles: [] } });
});

it("lets one of six sign up with it, and leaves nothing of the others", async () => {
  const invitation = await invite({});
  const names = Array.from({ length: 6 }, () => unique("racer"));
  const outcomes = await Promise.all(names.map((username) => refusal(join({ username, invitation }))));
  expect(outcomes.filter((outcome) => outcome === "fulfilled")).toHaveLength(1);
  expect(outcomes.filter((outcome) => outcome === "invitation.refused")).toHaveLength(5);
  const rows = await world.database.query("select id from users where username like 'racer%'");
  expect(rows).toHaveLength(1);
});

it("that was sent to an address proves that address, and is good for no other", async () => {
  const email = "Bob@Example.com";
  const created = await createInvitation(deps, world.context, { email, send: true });
  expect(created).toMatchObject({ token: null, sent: true, roles: [], unitId: null });
  const invitation = await invite({ email: "bob@example.com", send: true });
  expect(await refusal(join({ email: "eve@example.com", invitation }))).toBe("invitation.refused");
  expect(await join({ username: unique("bob"), invitation })).toMatchObject({
    email: "bob@example.com",
    emailVerified: true,
  });
});

it("for an address that it was not sent to makes no account: nothing has proven the address", async () => {
  const invitation = await invite({ email: "carol@example.com" });
  expect(await refusal(join({ email: "carol@example.com", invitation }))).toBe("invitation.refused");
});

it("gives no more than who invites has", async () => {
  const { context } = world;
  const clerk = holding(context, ["user:write"]);
  const role = await createRole(deps, context, {
    code: unique("role"),
    name: "r",
    permissions: ["audit:read"],
  });
  expect(await refusal(invite({ roles: ["administrator"] }, clerk))).toBe("permission.escalation");
  expect(await refusal(invite({ roles: [role.code] }, clerk))).toBe("permission.escalation");
  expect(await refusal(invite({ roles: ["nothing"] }, clerk))).toBe("role.not_found");
  expect(await refusal(invite({}, clerk))).toBe("fulfilled");
  expect(await refusal(invite({}, holding(context, ["organization:write"])))).toBe("permission.denied");
  expect(await refusal(invite({ send: true }))).toBe("invitation.address_required");
});

it("joins an account that is signed in, once, in its own tenant", async () => {
  const { context, foreign } = world;
  const ann = await world.aUser(unique("ann"));
  const token = await invite({});
  const as = (tenantContext: RequestContext): RequestContext => ({
    ...tenantContext,
    actor: { type: "user", id: ann },
  });
  expect(await refusal(acceptInvitation(deps, as(foreign), token))).toBe("invitation.refused");
  expect(await acceptInvitation(deps, as(context), token)).toEqual({ userId: ann, roles: [] });
  expect(await refusal(acceptInvitation(deps, as(context), token))).toBe("invitation.refused");
});
