import type { IdentifierChange, StartIdentifierChange, Tenant } from "@ostiary/contracts";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { NO_PERMISSIONS, type RequestContext } from "../../kernel/context.ts";
import { aMailbox, type Mailbox } from "../../testing/mailbox.ts";
import { refusal, type TwoTenants, twoTenants } from "../../testing/two-tenants.ts";
import { addressesOfUser, checkCode, sendCode } from "../credentials/index.ts";
import type { Deps } from "../deps.ts";
import { finishOutgoing } from "../outgoing/index.ts";
import { createSession } from "../sessions/index.ts";
import { findTenantById } from "../tenants/index.ts";
import { createUser, findUser, updateUser } from "../users/index.ts";
import { ACCOUNT_STEPS, accountState } from "./account-steps.ts";
import {
  cancelIdentifierChange,
  findIdentifierChange,
  giveChangeCode,
  listIdentifierChanges,
  sendChangeCode,
  startIdentifierChange,
} from "./change-identifier.ts";

let world: TwoTenants;
let deps: Deps;
let mailbox: Mailbox;
let tenant: Tenant;

beforeAll(async () => {
  world = await twoTenants();
  const found = await findTenantById(world.deps, world.context.tenantId);
  if (!found) throw new Error("no tenant");
  tenant = found;
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

interface Person {
  id: string;
  email: string;
  context: RequestContext;
}

/** Somebody with a confirmed address who has just signed in. */
async function aPerson(confirmed = true): Promise<Person> {
  const email = `${unique("ann")}@old.example`;
  const { id } = await createUser(deps, world.context, { email, emailVerified: confirmed });
  const { session } = await createSession(deps, world.context, { userId: id, amr: ["pwd"] });
  const actor = { type: "user", id } as const;
  return {
    id,
    email,
    context: { ...world.context, actor, permissions: NO_PERMISSIONS, sessionId: session.id },
  };
}

const start = ({ context }: Person, input: StartIdentifierChange) =>
  startIdentifierChange(deps, context, tenant, input);
const give = ({ context }: Person, change: IdentifierChange, code: string) =>
  giveChangeCode(deps, context, tenant, change.id, code);
const addressOf = async ({ id }: Person) => {
  const user = await findUser(deps, tenant.id, id);
  return [user?.email, user?.emailVerified];
};

it("of an address needs the code of the old one and then that of the new one", async () => {
  const ann = await aPerson();
  const change = await start(ann, { kind: "email", value: "ann@new.example" });
  expect(change).toMatchObject({ state: "confirm-old", sent: { channel: "email", to: "a***@old.example" } });
  expect(await mailbox.newest(deps, "ann@new.example")).toBeUndefined();
  expect((await mailbox.newest(deps, ann.email))?.text).toContain("a***@new.example");
  const half = await give(ann, change, await mailbox.code(deps, ann.email));
  expect(half).toMatchObject({ state: "confirm-new", sent: { to: "a***@new.example" } });
  expect(await addressOf(ann)).toEqual([ann.email, true]);
  const done = await give(ann, half, await mailbox.code(deps, "ann@new.example"));
  expect(done).toMatchObject({ state: "applied", steps: [] });
  expect(await addressOf(ann)).toEqual(["ann@new.example", true]);
  expect((await mailbox.newest(deps, ann.email))?.subject).toContain("has a new address");
  expect(await listIdentifierChanges(deps, ann.context)).toEqual([]);
});

it("is confirmed by the new address alone where the old one was never confirmed", async () => {
  const ann = await aPerson(false);
  const change = await start(ann, { kind: "email", value: `${unique("n")}@new.example` });
  expect(change.state).toBe("confirm-new");
  await give(ann, change, await mailbox.code(deps, change.value ?? ""));
  expect(await addressOf(ann)).toEqual([change.value, true]);
});

it("to the same address confirms it", async () => {
  const ann = await aPerson(false);
  const change = await start(ann, { kind: "email", value: ann.email.toUpperCase() });
  expect(change).toMatchObject({ value: ann.email, state: "confirm-new" });
  await give(ann, change, await mailbox.code(deps, ann.email));
  expect(await addressOf(ann)).toEqual([ann.email, true]);
  expect(await refusal(start(ann, { kind: "email", value: ann.email }))).toBe("identifier_change.nothing");
});

it("adds a phone number and a backup address, which asks nobody else", async () => {
  const ann = await aPerson();
  const phone = await start(ann, { kind: "phone", value: "138 0000 1234" });
  await give(ann, phone, await mailbox.code(deps, "13800001234"));
  const backup = await start(ann, { kind: "backup_email", value: "ann@backup.example" });
  expect((await addressesOfUser(deps, tenant.id, ann.id)).backupEmail).toBeNull();
  await give(ann, backup, await mailbox.code(deps, "ann@backup.example"));
  expect(await addressesOfUser(deps, tenant.id, ann.id)).toMatchObject({
    phone: "13800001234",
    backupEmail: "ann@backup.example",
  });
  expect((await mailbox.newest(deps, ann.email))?.text).toContain("Backup e-mail address");
});

it("removes an address when that agrees, but not the last identifier", async () => {
  const ann = await aPerson();
  const change = await start(ann, { kind: "email", value: null });
  const code = await mailbox.code(deps, ann.email);
  expect(await refusal(give(ann, change, code))).toBe("user.identifier_required");
  await updateUser(deps, world.context, ann.id, { username: unique("ann") });
  expect(await give(ann, change, code)).toMatchObject({ state: "applied" });
  expect(await addressOf(ann)).toEqual([null, false]);
});

it("does not say that an address is taken before the person has proven to read it", async () => {
  const ann = await aPerson(false);
  const bob = await aPerson();
  const change = await start(ann, { kind: "email", value: bob.email });
  expect(change.state).toBe("confirm-new");
  expect(await refusal(give(ann, change, "000000"))).toBe("code.rejected");
  expect(await refusal(give(ann, change, await mailbox.code(deps, bob.email)))).toBe("user.email_taken");
});

it("takes each code once, in its own state, for its own change and person", async () => {
  const [ann, eve] = [await aPerson(), await aPerson()];
  const change = await start(ann, { kind: "email", value: `${unique("n")}@new.example` });
  const evil = await start(eve, { kind: "email", value: `${unique("e")}@evil.example` });
  const old = await mailbox.code(deps, ann.email);
  expect(await refusal(give(eve, change, old))).toBe("identifier_change.not_found");
  expect(await refusal(give(eve, evil, old))).toBe("code.rejected");
  const outcomes = await Promise.all(Array.from({ length: 4 }, () => refusal(give(ann, change, old))));
  expect(outcomes.filter((outcome) => outcome === "fulfilled")).toHaveLength(1);
  expect(await addressOf(ann)).toEqual([ann.email, true]);
  expect(await refusal(give(ann, change, old))).toBe("code.rejected");
  const last = await mailbox.code(deps, change.value ?? "");
  const ends = await Promise.all(Array.from({ length: 4 }, () => refusal(give(ann, change, last))));
  expect(ends.filter((outcome) => outcome === "fulfilled")).toHaveLength(1);
});

it("needs a recent sign-in, and the person himself", async () => {
  const ann = await aPerson();
  const helped = { ...ann, context: { ...ann.context, impersonatorId: "0".repeat(24) } };
  const input: StartIdentifierChange = { kind: "email", value: "x@new.example" };
  expect(await refusal(start(helped, input))).toBe("impersonation.not_allowed");
  const change = await start(ann, input);
  expect(await refusal(give(helped, change, "123456"))).toBe("impersonation.not_allowed");
  expect(await refusal(sendChangeCode(deps, helped.context, tenant, change.id))).toBe(
    "impersonation.not_allowed",
  );
  world.clock.advance(601);
  expect(await refusal(start(ann, input))).toBe("authentication.stale");
});

it("is over after an hour, when it is given up, and when another one is begun", async () => {
  const ann = await aPerson();
  const find = (change: IdentifierChange) => refusal(findIdentifierChange(deps, ann.context, change.id));
  const first = await start(ann, { kind: "email", value: "one@new.example" });
  const second = await start(ann, { kind: "email", value: "two@new.example" });
  expect([await find(first), await find(second)]).toEqual(["identifier_change.not_found", "fulfilled"]);
  await cancelIdentifierChange(deps, ann.context, second.id);
  const third = await start(ann, { kind: "email", value: "three@new.example" });
  world.clock.advance(3_601);
  expect([await find(second), await find(third)]).toEqual(Array(2).fill("identifier_change.not_found"));
});

it("is not made when the address was changed or confirmed meanwhile", async () => {
  const ann = await aPerson(false);
  const change = await start(ann, { kind: "email", value: `${unique("n")}@new.example` });
  await updateUser(deps, world.context, ann.id, { emailVerified: true });
  const code = await mailbox.code(deps, change.value ?? "");
  expect(await refusal(give(ann, change, code))).toBe("identifier_change.outdated");
  expect(await addressOf(ann)).toEqual([ann.email, true]);
});

it("makes codes worthless that are on their way to the old address", async () => {
  const ann = await aPerson();
  const subject = "f".repeat(24);
  const request = { purpose: "recovery", subject, channel: "email", locale: null } as const;
  await sendCode(deps, world.context, tenant, { ...request, userId: ann.id, to: ann.email });
  const recovery = await mailbox.code(deps, ann.email);
  const change = await start(ann, { kind: "email", value: `${unique("n")}@new.example` });
  const half = await give(ann, change, await mailbox.code(deps, ann.email));
  await give(ann, half, await mailbox.code(deps, half.value ?? ""));
  const use = deps.database.transaction((tx) =>
    checkCode(deps, tx, world.context, { purpose: "recovery", subject, code: recovery }),
  );
  expect(await refusal(use)).toBe("code.rejected");
});

it("has a table from which every state but the last can be left, and nothing skips the new address", () => {
  expect(Object.entries(ACCOUNT_STEPS).filter(([, steps]) => Object.keys(steps).length === 0)).toEqual([
    ["applied", {}],
  ]);
  const now = new Date(0);
  const facts = { newValue: "n", asksOld: true, oldConfirmedAt: null, newConfirmedAt: now };
  expect(accountState(facts)).toBe("confirm-old");
  expect(accountState({ ...facts, oldConfirmedAt: now, newConfirmedAt: null })).toBe("confirm-new");
});
