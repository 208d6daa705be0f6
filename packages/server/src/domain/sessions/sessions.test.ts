import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { testDeps } from "../../testing/test-deps.ts";
import {
  audited,
  holding,
  refusal,
  refusals,
  type TwoTenants,
  twoTenants,
} from "../../testing/two-tenants.ts";
import { updateSettings } from "../tenants/index.ts";
import {
  createSession,
  deleteExpiredSessions,
  endSession,
  endSessionsOfUser,
  findSession,
  findSessionByCookie,
  finishLastSeen,
  getSession,
  listSessions,
  listSessionsOfUser,
  revokeSession,
  revokeSessionsOfUser,
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

const begin = (userId = ann) => createSession(world.deps, world.context, { userId, amr: ["pwd"] });
const alive = async (id: string) => (await findSession(world.deps, world.context.tenantId, id)) !== null;
const aliveByCookie = async (cookie: string) =>
  (await findSessionByCookie(world.deps, world.context.tenantId, cookie)) !== null;

/** A token family as an authorization leaves it behind. */
async function aFamily(id: string, sessionId: string): Promise<void> {
  const { database, context, clock } = world;
  const applicationId = id;
  await database.query(
    `insert into applications (tenant_id, id, slug, name, grant_types, token_endpoint_auth_method, scopes,
                               sign_in_methods, created_at, updated_at)
     values ($1, $2, $2, 'x', '{}', 'none', '{}', '{}', $3, $3)`,
    [context.tenantId, applicationId, clock.now()],
  );
  await database.query(
    `insert into token_families (tenant_id, id, application_id, user_id, session_id, scopes, created_at, expires_at)
     values ($1, $2, $3, $4, $5, '{}', $6, $6::timestamptz + interval '1 day')`,
    [context.tenantId, id, applicationId, ann, sessionId, clock.now()],
  );
}

async function revokedFamilies(): Promise<string[]> {
  const rows = await world.database.query<{ id: string }>(
    "select id from token_families where revoked_at is not null and user_id = $1",
    [ann],
  );
  return rows.map((row) => row.id);
}

describe("a session", () => {
  it("is found by its cookie only, and by no near miss", async () => {
    const { session, cookie } = await begin();
    expect(await aliveByCookie(cookie)).toBe(true);
    const [id = "", secret = ""] = cookie.split(".");
    for (const wrong of [
      id,
      `${id}.`,
      `${id}.${secret.slice(1)}`,
      `${id}.${secret}x`,
      `${"0".repeat(24)}.${secret}`,
      `.${secret}`,
      "",
      "x".repeat(10_000),
      `${id}.\u0000`,
    ]) {
      expect(await aliveByCookie(wrong), wrong.slice(0, 30)).toBe(false);
    }
    const { deps, foreign, context } = world;
    expect(await findSessionByCookie(deps, foreign.tenantId, cookie)).toBeNull();
    expect(await findSessionByCookie(deps, context.tenantId, undefined)).toBeNull();
    expect(await alive(session.id)).toBe(true);
    const rows = await world.database.query("select * from sessions where id = $1", [session.id]);
    expect(JSON.stringify(rows)).not.toContain(secret);
  });

  it("ends when it was idle for too long, on every process", async () => {
    const { clock, deps, context } = world;
    const { session, cookie } = await begin();
    const other = testDeps(world.database, { clock });
    expect(await findSession(other, context.tenantId, session.id)).not.toBeNull();
    for (let i = 0; i < 3; i++) {
      clock.advance(500);
      expect(await aliveByCookie(cookie)).toBe(true);
      await finishLastSeen(deps);
      // The other process has an old copy, in which the session has been idle; it looks again.
      expect(await findSession(other, context.tenantId, session.id)).not.toBeNull();
    }
    clock.advance(600);
    expect(await aliveByCookie(cookie)).toBe(false);
    expect(await findSession(other, context.tenantId, session.id)).toBeNull();
  });

  it("ends at its absolute end however often it is used", async () => {
    const { clock } = world;
    const { cookie } = await begin();
    for (let i = 0; i < 7; i++) {
      clock.advance(500);
      expect(await aliveByCookie(cookie)).toBe(true);
    }
    clock.advance(100);
    expect(await aliveByCookie(cookie)).toBe(false);
  });

  it("is not kept alive by being looked at, nor brought back by a late write", async () => {
    const { clock, deps, database, context } = world;
    const { session, cookie } = await begin();
    clock.advance(300);
    expect(await alive(session.id)).toBe(true);
    expect(await aliveByCookie(cookie)).toBe(true);
    await revokeSession(deps, context, session.id, "test");
    await finishLastSeen(deps);
    expect(await alive(session.id)).toBe(false);
    const [row] = await database.query<{ seen: Date; created: Date }>(
      "select last_seen_at as seen, created_at as created from sessions where id = $1",
      [session.id],
    );
    expect(row?.seen).toEqual(row?.created);
  });

  it("is answered from memory when it is known", async () => {
    const { deps, context } = world;
    const { session } = await begin();
    await findSession(deps, context.tenantId, session.id);
    expect(findSession(deps, context.tenantId, session.id)).not.toBeInstanceOf(Promise);
  });

  it("is forgotten when it is over", async () => {
    const { clock, deps } = world;
    const { session } = await begin();
    clock.advance(3_601);
    while ((await deleteExpiredSessions(deps.database, clock.now(), 2)) === 2);
    const rows = await world.database.query("select id from sessions where id = $1", [session.id]);
    expect(rows).toEqual([]);
  });
});

describe("revoking", () => {
  it("ends a session and its tokens, tells every process, and records why", async () => {
    const { deps, context } = world;
    const { session, cookie } = await begin();
    await aFamily("a".repeat(24), session.id);
    expect(await aliveByCookie(cookie)).toBe(true);
    const heard: string[] = [];
    deps.feed.subscribe({ onChange: (noun, id) => void heard.push(`${noun}:${id}`), onGap: () => {} });
    await revokeSession(deps, context, session.id, "signed out");
    expect(await aliveByCookie(cookie)).toBe(false);
    expect(heard).toEqual(expect.arrayContaining([`session:${session.id}`, `family:${"a".repeat(24)}`]));
    expect(await revokedFamilies()).toEqual(["a".repeat(24)]);
    expect(await revokeSession(deps, context, session.id, "again")).toBe(false);
    expect(await refusal(endSession(deps, context, session.id))).toBe("session.not_found");
    const [entry] = await audited(world, session.id, 1);
    expect(entry).toMatchObject({
      type: "session.revoked",
      data: { userId: ann, reason: "signed out" },
    });
  });

  it("everywhere also ends what was granted for longer than a session", async () => {
    const { session } = await begin();
    await aFamily("offline-family", session.id);
    await world.database.query("update token_families set session_id = null where id = 'offline-family'");
    await revokeSessionsOfUser(world.deps, world.context, ann, { reason: "password changed" });
    const [family] = await world.database.query<{ revoked: boolean }>(
      "select revoked_at is not null as revoked from token_families where id = 'offline-family'",
    );
    expect(family?.revoked).toBe(true);
  });

  it("happens once, however many ask at once", async () => {
    const { deps, context } = world;
    const { session } = await begin();
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, () => revokeSession(deps, context, session.id, "race")),
    );
    expect(outcomes.filter((hasEnded) => hasEnded)).toHaveLength(1);
  });

  it("can leave one session, with its tokens", async () => {
    const { deps, context } = world;
    const mine = await begin();
    const others = [await begin(), await begin()];
    await aFamily("b".repeat(24), mine.session.id);
    await aFamily("c".repeat(24), others[0]?.session.id ?? "");
    const options = { exceptSessionId: mine.session.id, reason: "password changed" };
    expect(await revokeSessionsOfUser(deps, context, ann, options)).toBe(2);
    for (const other of others) expect(await alive(other.session.id)).toBe(false);
    expect(await alive(mine.session.id)).toBe(true);
    expect(await revokedFamilies()).toEqual(["c".repeat(24)]);
  });
});

describe("who may see and end sessions", () => {
  it("is the person himself", async () => {
    const { deps, context } = world;
    const { session } = await begin();
    const self = holding(context, [], ann);
    expect((await listSessionsOfUser(deps, self, ann)).items).toMatchObject([
      { id: session.id, userId: ann, device: "", amr: ["pwd"] },
    ]);
    await endSession(deps, self, session.id);
    expect((await listSessionsOfUser(deps, self, ann)).items).toEqual([]);
  });

  it("is nobody else without the permission, nor with less than the user's rights", async () => {
    const { deps, context, aUser } = world;
    const boss = await aUser(`boss-${number}`, ["administrator"]);
    const { session } = await begin(boss);
    const stranger = holding(context, [], ann);
    expect(
      await refusals([
        endSession(deps, stranger, session.id),
        endSession(deps, stranger, "0".repeat(24)),
        endSessionsOfUser(deps, stranger, boss),
        listSessionsOfUser(deps, stranger, boss),
        listSessions(deps, stranger),
        getSession(deps, stranger, session.id),
      ]),
    ).toEqual(["permission.denied"]);
    const helper = holding(context, ["session:*"], ann);
    expect(
      await refusals([endSession(deps, helper, session.id), endSessionsOfUser(deps, helper, boss)]),
    ).toEqual(["permission.escalation"]);
    expect(await endSessionsOfUser(deps, context, boss)).toBe(1);
  });

  it("ends at the tenant", async () => {
    const { deps, foreign } = world;
    const { session } = await begin();
    expect(
      await refusals([endSession(deps, foreign, session.id), getSession(deps, foreign, session.id)]),
    ).toEqual(["session.not_found"]);
    expect(await refusal(endSessionsOfUser(deps, foreign, ann))).toBe("user.not_found");
    expect((await listSessionsOfUser(deps, foreign, ann)).items).toEqual([]);
    expect(await alive(session.id)).toBe(true);
  });

  it("comes page by page, newest first", async () => {
    const { deps, context, clock } = world;
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) {
      clock.advance(1);
      ids.unshift((await begin()).session.id);
    }
    const first = await listSessions(deps, context, { userId: ann, limit: 3 });
    const second = await listSessions(deps, context, { userId: ann, limit: 3, after: first.next ?? "" });
    expect([...first.items, ...second.items].map((item) => item.id)).toEqual(ids);
    expect(second.next).toBeNull();
  });
});
