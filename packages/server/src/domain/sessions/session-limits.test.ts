import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { audited, holding, refusal, type TwoTenants, twoTenants } from "../../testing/two-tenants.ts";
import { createApplication, updateApplication } from "../applications/index.ts";
import { updateSettings } from "../tenants/index.ts";
import { updateMe } from "../users/index.ts";
import {
  createSession,
  deriveSession,
  endSessionsOfApplication,
  findSession,
  listSessionsOfUser,
  type SessionPolicy,
} from "./index.ts";

let world: TwoTenants;
let number = 0;
let ann: string;
let shop: string;

beforeAll(async () => {
  world = await twoTenants();
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(async () => {
  const name = `n-${++number}`;
  ann = await world.aUser(name);
  const input = { slug: name, name };
  shop = (await createApplication(world.deps, world.context, input)).application.id;
  await settle({ maximum: null, whenFull: "end-oldest" });
});

async function settle(sessions: { maximum: number | null; whenFull: "end-oldest" | "refuse" }) {
  await updateSettings(world.deps, world.context, { sessions });
}

const begin = async (options: { applicationId?: string; policy?: SessionPolicy; userId?: string } = {}) => {
  world.clock.advance(1);
  const input = { userId: ann, amr: ["pwd"], ...options };
  return (await createSession(world.deps, world.context, input)).session;
};
const living = async (userId = ann) =>
  (await listSessionsOfUser(world.deps, world.context, userId)).items.map(({ id }) => id).reverse();
const settings = (values: object) => updateApplication(world.deps, world.context, shop, { settings: values });

describe("with a most of two sessions", () => {
  it("a third sign-in ends the oldest one", async () => {
    await settle({ maximum: 2, whenFull: "end-oldest" });
    const [, second, third] = [await begin(), await begin(), await begin()];
    expect(await living()).toEqual([second?.id, third?.id]);
  });

  it("a third sign-in is refused where that is the policy, and nothing is ended", async () => {
    await settle({ maximum: 2, whenFull: "refuse" });
    const both = [await begin(), await begin()].map(({ id }) => id);
    expect(await refusal(begin())).toBe("session.limit_reached");
    expect(await living()).toEqual(both);
    expect(await refusal(begin({ userId: await world.aUser(`other-${number}`) }))).toBe("fulfilled");
  });

  it("eight sign-ins at once leave two", async () => {
    await settle({ maximum: 2, whenFull: "end-oldest" });
    await Promise.all(Array.from({ length: 8 }, () => begin()));
    expect(await living()).toHaveLength(2);
    await settle({ maximum: 2, whenFull: "refuse" });
    ann = await world.aUser(`again-${number}`);
    const all = await Promise.allSettled(Array.from({ length: 8 }, () => begin()));
    expect(all.filter(({ status }) => status === "fulfilled")).toHaveLength(2);
  });

  it("doors are counted apart, and what is derived from a session comes and goes with it", async () => {
    await settle({ maximum: 2, whenFull: "end-oldest" });
    const first = await begin();
    world.clock.advance(1);
    const { session: ticket } = await deriveSession(world.deps, world.context, first, { slot: "ticket" });
    const elsewhere = await begin({ policy: { slot: "desktop" } });
    const second = await begin();
    expect(await living()).toEqual([first, ticket, elsewhere, second].map(({ id }) => id));
    const third = await begin();
    expect(await living()).toEqual([elsewhere, second, third].map(({ id }) => id));
  });
});

describe("a user who wants to be signed in once only", () => {
  it("is signed out elsewhere by each sign-in, also where the tenant allows more", async () => {
    await begin();
    await begin();
    const who = { ...world.context, actor: { type: "user" as const, id: ann } };
    await updateMe(world.deps, who, { preferences: { multipleLogin: false } });
    const last = await begin();
    expect(await living()).toEqual([last.id]);
  });
});

describe("an application", () => {
  it("may have its own most, over all doors, and its own answer when that is reached", async () => {
    await settings({ maximumSessions: 1 });
    const elsewhere = await begin();
    await begin({ applicationId: shop });
    const second = await begin({ applicationId: shop, policy: { slot: "desktop" } });
    expect(await living()).toEqual([elsewhere.id, second.id]);
    await settings({ whenSessionsFull: "refuse" });
    expect(await refusal(begin({ applicationId: shop }))).toBe("session.limit_reached");
  });

  it("may only shorten the lifetimes of sessions that begin there", async () => {
    await settings({ sessionIdleSeconds: 300, sessionAbsoluteSeconds: 365 * 86_400 });
    const session = await begin({ applicationId: shop });
    expect(session.expiresAt.getTime() - session.createdAt.getTime()).toBe(300_000);
    const shorter = await begin({ applicationId: shop, policy: { idleSeconds: 60 } });
    expect(shorter.expiresAt.getTime() - shorter.createdAt.getTime()).toBe(60_000);
    world.clock.advance(301);
    expect(await findSession(world.deps, world.context.tenantId, session.id)).toBeNull();
  });

  it("can be left by everybody at once, with every token that it holds", async () => {
    const { deps, context, database, clock } = world;
    const mine = await begin({ applicationId: shop });
    const { session: ticket } = await deriveSession(deps, context, mine, { slot: "ticket" });
    const other = await begin();
    for (const [id, sessionId] of [
      [`f1-${number}`, mine.id],
      [`f2-${number}`, other.id],
      [`f3-${number}`, null],
    ] as const) {
      await database.query(
        `insert into token_families (tenant_id, id, application_id, user_id, session_id, scopes, created_at, expires_at)
         values ($1, $2, $3, $4, $5, '{}', $6, $6::timestamptz + interval '1 day')`,
        [context.tenantId, id, shop, ann, sessionId, clock.now()],
      );
    }
    expect(await refusal(endSessionsOfApplication(deps, world.foreign, shop))).toBe("application.not_found");
    expect(
      await refusal(endSessionsOfApplication(deps, holding(context, ["session:write", "user:*"]), shop)),
    ).toBe("permission.escalation");
    expect(await endSessionsOfApplication(deps, context, shop)).toBe(2);
    expect(await living()).toEqual([other.id]);
    expect(await findSession(deps, context.tenantId, ticket.id)).toBeNull();
    const left = await database.query(
      "select id from token_families where application_id = $1 and revoked_at is null",
      [shop],
    );
    expect(left).toEqual([]);
    expect((await audited(world, shop, 2))[0]).toMatchObject({ type: "application.sessions_revoked" });
  });
});
