import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aDatabase, type TestDatabase } from "../../testing/a-database.ts";
import { type FrozenClock, frozenClock } from "../../testing/frozen-clock.ts";
import { contextOf, testDeps } from "../../testing/test-deps.ts";
import type { Deps } from "../deps.ts";
import { createSession, findSession, findSessionByCookie } from "../sessions/index.ts";
import { createTenant, ensureDefaultTenant } from "../tenants/index.ts";
import { createUser } from "../users/index.ts";
import { checkTicket, endTicket, findTicketHolder, issueTicket } from "./index.ts";

const RULES = { slot: "blueking", seconds: 86_400, idleSeconds: 7_200, atMost: null };

let database: TestDatabase;
let clock: FrozenClock;
let deps: Deps;
let tenantId: string;
let userId: string;
beforeAll(async () => {
  database = await aDatabase();
  clock = frozenClock();
  deps = testDeps(database.database, { clock });
  tenantId = (await ensureDefaultTenant(deps)).id;
  userId = (await createUser(deps, contextOf(tenantId), { username: "ann" })).id;
});
afterAll(() => database?.[Symbol.asyncDispose]());

const signIn = (policy = {}) => createSession(deps, contextOf(tenantId), { userId, amr: ["pwd"], policy });
const issue = async (rules: Partial<Parameters<typeof issueTicket>[3]> = {}, policy = {}) => {
  const { session } = await signIn(policy);
  return {
    parent: session,
    ...(await issueTicket(deps, contextOf(tenantId), session, { ...RULES, ...rules })),
  };
};
const find = (ticket: string, slot = "blueking") => findTicketHolder(deps, tenantId, slot, ticket);

describe("a ticket", () => {
  it("says who holds it, in letters that nothing has to encode, for a day", async () => {
    const { ticket, expiresAt } = await issue();
    expect(ticket).toMatch(/^[A-Za-z0-9_-]{68}$/);
    expect(expiresAt.getTime() - clock.now().getTime()).toBe(86_400_000);
    expect((await find(ticket))?.principal.username).toBe("ann");
  });

  it("is known without the database, and at once, when it was shown before", async () => {
    const { ticket } = await issue();
    await find(ticket);
    expect(find(ticket)).not.toBeInstanceOf(Promise);
    expect(find(`${ticket.slice(0, -1)}${ticket.endsWith("A") ? "B" : "A"}`)).not.toMatchObject({
      principal: {},
    });
  });

  it("opens its own door only, and the account's cookie does not open that", async () => {
    const { ticket } = await issue();
    expect(await find(ticket, "other")).toBeNull();
    expect(await findSessionByCookie(deps, tenantId, ticket.replace("-", "."))).toBeNull();
    const { cookie } = await signIn();
    expect(await find(cookie.replace(".", "-"))).toBeNull();
    const other = await createTenant(deps, contextOf(tenantId), { slug: "other", name: "Other" });
    expect(await findTicketHolder(deps, other.id, "blueking", ticket)).toBeNull();
  });

  it("ends the sign-in it came from, and all its tickets, once", async () => {
    const { parent, ticket } = await issue();
    const { ticket: second } = await issueTicket(deps, contextOf(tenantId), parent, RULES);
    const holder = await find(ticket);
    if (!holder) throw new Error("no holder");
    await endTicket(deps, contextOf(tenantId), holder);
    await endTicket(deps, contextOf(tenantId), holder);
    expect(await find(ticket)).toBeNull();
    expect(await find(second)).toBeNull();
    expect(await findSession(deps, tenantId, parent.id)).toBeNull();
    await expect(async () => checkTicket(deps, tenantId, "blueking", ticket, null)).rejects.toMatchObject({
      code: "token.invalid",
    });
  });

  it("does not outlive a sign-in that is for a short time", async () => {
    const { ticket, expiresAt } = await issue({}, { absoluteSeconds: 1_800 });
    expect(expiresAt.getTime() - clock.now().getTime()).toBe(1_800_000);
    clock.advance(1_801);
    expect(await find(ticket)).toBeNull();
  });

  it("takes the place of the oldest where there may be only so many, also for eight at once", async () => {
    const { session } = await signIn();
    const rules = { ...RULES, slot: "limited", atMost: 3 };
    const made = await Promise.all(
      Array.from({ length: 8 }, () => issueTicket(deps, contextOf(tenantId), session, rules)),
    );
    const holders = await Promise.all(made.map(({ ticket }) => find(ticket, "limited")));
    expect(holders.filter((holder) => holder !== null)).toHaveLength(3);
  });
});
