import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { refusal, type TwoTenants, twoTenants } from "../../testing/two-tenants.ts";
import { updateSettings } from "../tenants/index.ts";
import {
  createSession,
  deriveSession,
  findSession,
  findSessionByCookie,
  revokeSession,
  revokeSessionsOfUser,
  type SessionPolicy,
} from "./index.ts";

let world: TwoTenants;
let number = 0;
let ann: string;
beforeAll(async () => {
  world = await twoTenants();
  const sessions = { idleSeconds: 600, absoluteSeconds: 3_600 };
  await updateSettings(world.deps, world.context, { sessions });
});
beforeEach(async () => {
  ann = await world.aUser(`ann-${++number}`);
});
afterAll(() => world[Symbol.asyncDispose]());

const begin = (policy?: SessionPolicy) =>
  createSession(world.deps, world.context, { userId: ann, amr: ["pwd"], policy });
const alive = async (id: string) => (await findSession(world.deps, world.context.tenantId, id)) !== null;
const known = async (cookie: string, slot?: string) =>
  (await findSessionByCookie(world.deps, world.context.tenantId, cookie, { slot: slot ?? "" })) !== null;

describe("a session of a door of its own", () => {
  it("is known at that door only", async () => {
    const ticket = await begin({ slot: "ticket" });
    expect(await known(ticket.cookie, "ticket")).toBe(true);
    expect(await known(ticket.cookie)).toBe(false);
    const browser = await begin();
    expect(await known(browser.cookie, "ticket")).toBe(false);
  });

  it("ends after its own lifetimes, or the tenant's when those are shorter", async () => {
    const { clock } = world;
    const seconds = (policy: SessionPolicy) =>
      begin(policy).then(({ session }) => (session.expiresAt.getTime() - clock.now().getTime()) / 1_000);
    expect(await seconds({ idleSeconds: 60 })).toBe(60);
    expect(await seconds({ absoluteSeconds: 90 })).toBe(90);
    expect(await seconds({ idleSeconds: 7_200, absoluteSeconds: 86_400 })).toBe(600);
  });

  it("keeps its own idle lifetime when it is used", async () => {
    const { session, cookie } = await begin({ slot: "ticket", idleSeconds: 120 });
    world.clock.advance(100);
    expect(await known(cookie, "ticket")).toBe(true);
    world.clock.advance(100);
    expect(await alive(session.id)).toBe(true);
    world.clock.advance(121);
    expect(await alive(session.id)).toBe(false);
  });
});

describe("of sessions that may be only so many", () => {
  it("the oldest ends when a further one begins", async () => {
    const limit = { atMost: 2, whenFull: "end-oldest" } as const;
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) {
      ids.push((await begin({ slot: "ticket", limit })).session.id);
      world.clock.advance(1);
    }
    expect(await Promise.all(ids.map(alive))).toEqual([false, true, true]);
  });

  it("a further one is refused, until one of them has ended", async () => {
    const policy: SessionPolicy = { slot: "one", limit: { atMost: 1, whenFull: "refuse" } };
    const { session } = await begin(policy);
    expect(await refusal(begin(policy))).toBe("session.limit_reached");
    await begin({ ...policy, slot: "another" });
    await revokeSession(world.deps, world.context, session.id, "signed out");
    await begin(policy);
  });

  it("no more get in when six begin at once", async () => {
    const policy: SessionPolicy = { slot: "one", limit: { atMost: 1, whenFull: "refuse" } };
    const results = await Promise.allSettled(Array.from({ length: 6 }, () => begin(policy)));
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });
});

describe("a derived session", () => {
  it("proves what its parent proved, when that did, and ends with it", async () => {
    const parent = await begin();
    world.clock.advance(30);
    const { session } = await deriveSession(world.deps, world.context, parent.session, { slot: "ticket" });
    expect(session).toMatchObject({
      userId: ann,
      amr: ["pwd"],
      authenticatedAt: parent.session.authenticatedAt,
      parentId: parent.session.id,
    });
    await revokeSession(world.deps, world.context, parent.session.id, "signed out");
    expect(await alive(session.id)).toBe(false);
  });

  it("can end alone, and stays when all sessions but its parent end", async () => {
    const parent = await begin();
    const one = await deriveSession(world.deps, world.context, parent.session, { slot: "ticket" });
    const two = await deriveSession(world.deps, world.context, one.session, { slot: "ticket" });
    await revokeSession(world.deps, world.context, one.session.id, "signed out");
    expect(await alive(parent.session.id)).toBe(true);
    await revokeSessionsOfUser(world.deps, world.context, ann, {
      exceptSessionId: parent.session.id,
      reason: "password changed",
    });
    expect(await alive(two.session.id)).toBe(true);
  });
});
