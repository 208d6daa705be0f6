import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aDatabase, type TestDatabase } from "../../testing/a-database.ts";
import { type FrozenClock, frozenClock } from "../../testing/frozen-clock.ts";
import { contextOf, testDeps } from "../../testing/test-deps.ts";
import { type Application, createApplication, findApplication } from "../applications/index.ts";
import type { Deps } from "../deps.ts";
import { createSession, findSession, findSessionByCookie, renewSession } from "../sessions/index.ts";
import { createTenant, ensureDefaultTenant, updateSettings } from "../tenants/index.ts";
import { createUser } from "../users/index.ts";
import { checkTicket, endTicket, findTicketHolder, issueTicket, isTicketOf } from "./index.ts";

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

  it("is kept alive by asking, which is noted every ten minutes at most", async () => {
    const { ticket } = await issue();
    const lastSeen = async () => (await find(ticket))?.session.lastSeenAt.getTime();
    const begun = clock.now().getTime();
    expect(await lastSeen()).toBe(begun);
    clock.advance(599);
    expect(await lastSeen()).toBe(begun);
    clock.advance(1);
    expect(await lastSeen()).toBe(clock.now().getTime());
    clock.advance(7_201);
    expect(await find(ticket)).toBeNull();
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

describe("a ticket that was got where less is asked", () => {
  let number = 0;
  const anApplication = async (settings: Partial<Application["settings"]>) => {
    const slug = `asks-${++number}`;
    const { application } = await createApplication(deps, contextOf(tenantId), {
      slug,
      name: slug,
      settings,
    });
    const found = await findApplication(deps, tenantId, application.id);
    if (!found) throw new Error("no application");
    return found;
  };
  const set = async (signIn: { secondFactor?: "never" | "enrolled"; staleSeconds?: number | null }) => {
    await updateSettings(deps, contextOf(tenantId), { signIn });
    deps.feed.publish([`tenant:${tenantId}`]);
  };
  const verdict = async (ticket: string, application: Application | null) => {
    try {
      return (await checkTicket(deps, tenantId, "blueking", ticket, application)).principal.username;
    } catch (error) {
      return (error as { code: string }).code;
    }
  };

  it.each(["enrolled", "new_device", "always"] as const)(
    "is refused by an application whose second factor is `%s`, and one for that application is taken",
    async (secondFactor) => {
      await set({ secondFactor: "never" });
      const strict = await anApplication({ secondFactor });
      const mild = await anApplication({});
      const { session } = await signIn();
      const made = async (application: Application | null) =>
        (await issueTicket(deps, contextOf(tenantId), session, RULES, application)).ticket;
      for (const application of [null, mild]) {
        expect(await verdict(await made(application), strict)).toBe("token.invalid");
      }
      const own = await made(strict);
      // For `always` no ticket will do that came from one factor.
      expect(await verdict(own, strict)).toBe(secondFactor === "always" ? "token.invalid" : "ann");
      expect(await verdict(own, mild)).toBe("ann");
      const two = await createSession(deps, contextOf(tenantId), { userId, amr: ["pwd", "otp", "mfa"] });
      const strong = await issueTicket(deps, contextOf(tenantId), two.session, RULES);
      expect(await verdict(strong.ticket, strict)).toBe("ann");
    },
  );

  it("is refused everywhere once the tenant asks for more", async () => {
    await set({ secondFactor: "never" });
    const { ticket } = await issue();
    expect(await verdict(ticket, null)).toBe("ann");
    await set({ secondFactor: "enrolled" });
    expect(await verdict(ticket, null)).toBe("token.invalid");
    expect(await verdict((await issue()).ticket, null)).toBe("ann");
  });

  it("is refused by an application whose sessions are shorter than the sign-in is old", async () => {
    const short = await anApplication({ sessionAbsoluteSeconds: 600 });
    const long = await anApplication({ sessionAbsoluteSeconds: 3_600 });
    const { ticket } = await issue();
    clock.advance(600);
    expect(await verdict(ticket, short)).toBe("ann");
    clock.advance(1);
    expect(await verdict(ticket, short)).toBe("token.invalid");
    expect(await verdict(ticket, long)).toBe("ann");
    expect(await verdict(ticket, null)).toBe("ann");
  });

  it("is refused everywhere when the tenant wants younger sign-ins", async () => {
    const { ticket } = await issue();
    clock.advance(901);
    await set({ staleSeconds: 900 });
    expect(await verdict(ticket, null)).toBe("token.invalid");
    await set({ staleSeconds: null });
    expect(await verdict(ticket, null)).toBe("ann");
  });

  it("is not what a browser keeps that has proven more, or proven it again, or wants to enter a stricter place", async () => {
    await set({ secondFactor: "never" });
    const strict = await anApplication({ secondFactor: "new_device" });
    const { parent, ticket } = await issue();
    const isKept = async (application: Application | null) => {
      const session = await findSession(deps, tenantId, parent.id);
      return session !== null && isTicketOf(deps, session, "blueking", ticket, application);
    };
    const renew = async (amr: string[], keepsTime: boolean) => {
      await deps.database.transaction((tx) =>
        renewSession(deps, tx, contextOf(tenantId), parent.id, { userId, amr }, { keepsTime }),
      );
      deps.feed.publish([`session:${parent.id}`]);
    };
    expect([await isKept(null), await isKept(strict)]).toEqual([true, false]);
    await renew(["pwd", "otp", "mfa"], true);
    expect([await isKept(null), await isKept(strict)]).toEqual([false, false]);
    await renew(["pwd"], true);
    expect(await isKept(null)).toBe(true);
    clock.advance(1);
    await renew(["pwd"], false);
    expect(await isKept(null)).toBe(false);
    const other = (await signIn()).session;
    expect(await isTicketOf(deps, other, "blueking", ticket, null)).toBe(false);
  });
});
