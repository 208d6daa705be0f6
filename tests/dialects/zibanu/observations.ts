import { createHash } from "node:crypto";
import { createGroup } from "../../../packages/server/src/domain/groups/index.ts";
import { findPerson, type Person } from "../../../packages/server/src/domain/levels/index.ts";
import { findTenantById } from "../../../packages/server/src/domain/tenants/index.ts";
import { findAvatarOfUser } from "../../../packages/server/src/domain/users/index.ts";
import { contextOf } from "../../../packages/server/src/testing/test-deps.ts";
import type { Replay } from "./recordings.ts";
import { type Answer, PASSWORD, payloadOf, type World } from "./world.ts";

/** What was seen beside an answer, and what we have at the same moment. */
export interface Seen {
  world: World;
  replay: Replay;
  observed: unknown;
  /** To the request before it. */
  answer: Answer | undefined;
}

/** [theirs, ours], to be the same. */
type Look = (seen: Seen) => Promise<readonly [theirs: unknown, ours: unknown]>;

type Facts = Record<string, unknown>;

/** The token of the answer before: header, names of the claims, and all of the user but the time. */
const claims: Look = async ({ observed, replay }) => {
  const parts = (Array.isArray(observed) ? observed : [observed]) as Facts[];
  const header = parts.find((part) => "alg" in part);
  const theirs = parts.findLast((part) => !("alg" in part)) ?? {};
  const ours = payloadOf(replay.last);
  const isWhole = "token_type" in theirs;
  const { level: _ours, ...user } = ours.user;
  const { kid: _kid, ...ourHeader } = headerOf(replay.last);
  const theirUser = { ...((isWhole ? theirs["user"] : theirs) as Facts), last_login: 0 };
  // Theirs has the level after a refresh only; ours always (Part 7, 24).
  const ourUser = { ...("level" in theirUser ? ours.user : user), last_login: 0 };
  const whole = (payload: Facts) =>
    isWhole ? { names: Object.keys(payload), type: payload["token_type"], of: payload["user_id"] } : {};
  return [
    { header, user: theirUser, ...whole(theirs) },
    { header: header && ourHeader, user: ourUser, ...whole(ours) },
  ];
};

const headerOf = (token: string) =>
  JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString()) as { kid: string };

/** A user of their data base, and what we show of ours to a superuser. */
const user =
  (email: string, names: readonly string[]): Look =>
  async ({ world, observed }) => {
    const person = await find(world, email);
    const token = await world.mint(ADMIN);
    const { body } = await world.call("/user/retrieve/", { token, body: { id: person?.serial } });
    const { roles, profile, ...ours } = body as Facts & { roles: { id: number }[]; profile: Facts };
    const facts: Facts = { ...ours, ...profile, groups: roles.map(({ id }) => id) };
    const { profile: nested, ...theirs } = observed as Facts & { profile?: Facts };
    const all: Facts = { ...theirs, ...nested };
    const pick = (from: Facts) => Object.fromEntries(names.map((name) => [name, from[name]]));
    return [pick(all), pick(facts)];
  };

const ADMIN = 2;
const PERSON = [
  "email",
  "first_name",
  "last_name",
  "is_active",
  "is_staff",
  "is_superuser",
  "groups",
] as const;
const PROFILE = [
  "timezone",
  "theme",
  "lang",
  "messages_timeout",
  "keep_logged_in",
  "multiple_login",
] as const;

/** An entry of their cache is an open session of ours, of somebody who may have only one. */
const openSessions: Look = async ({ world, observed }) => [
  (observed as { keys: string[] }).keys,
  await keysOf(world),
];

async function keysOf({ server: { deps } }: World): Promise<string[]> {
  const rows = await deps.database.query<{ key: string }>(
    `select distinct u.username || '.' || substr(s.slot, 8) as key
       from sessions s join users u on u.tenant_id = s.tenant_id and u.id = s.user_id
      where s.revoked_at is null and s.expires_at > $1 and s.slot <> 'zibanu:mint'
        and not coalesce((u.preferences ->> 'multipleLogin')::boolean, false)
        and u.username not in ('root', 'admin')
      order by key`,
    [deps.clock.now()],
  );
  return rows.map(({ key }) => key);
}

const mailsSeen = new WeakMap<World, number>();

/** Those since the last look. @param atLeast - so many are waited for, as mails are not part of an answer. */
async function newMails(world: World, atLeast = 0) {
  const before = mailsSeen.get(world) ?? 0;
  const all = await eventually(
    () => world.mails(),
    (mails) => mails.length >= before + atLeast,
  );
  mailsSeen.set(world, all.length);
  return all.slice(before);
}

/** To whom the last mails went. */
const mails: Look = async ({ world, observed }) => {
  const theirs = (observed as { to: string[] }[]).flatMap(({ to }) => to);
  const ours = (await newMails(world, theirs.length)).map(({ to }) => to);
  return [theirs, ours.slice(-theirs.length)];
};

/** A row of their log is an event of ours; who did what is the same. */
const event =
  (type: string): Look =>
  async ({ world: { server }, observed }) => {
    const logs = (Array.isArray(observed) ? observed : (observed as { logs: object[] }).logs) as {
      action: string;
      user_id: number | null;
    }[];
    const log = logs.findLast(({ action }) => action !== "on_send_mail");
    const query = () =>
      server.deps.database.query<{ serial: number | null }>(
        `select u.serial::int as serial
         from (select tenant_id, type, actor_id, target_id, occurred_at from events
               union all select tenant_id, type, actor_id, target_id, occurred_at from audit_entries) e
         left join users u on u.tenant_id = e.tenant_id and u.id = coalesce(e.actor_id, e.target_id)
        where e.type = $1 order by e.occurred_at desc limit 1`,
        [type],
      );
    const [last] = await eventually(query, (rows) => rows.length > 0);
    // Ours knows whose sign-in failed; theirs does not (Part 7, 20).
    const isFailure = type === "user.login_refused";
    return [
      { type, by: isFailure ? null : log?.user_id },
      { type: last && type, by: isFailure ? null : last?.serial },
    ];
  };

async function eventually<T>(get: () => Promise<T>, isEnough: (found: T) => boolean): Promise<T> {
  let found = await get();
  for (let i = 0; i < 200 && !isEnough(found); i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    found = await get();
  }
  return found;
}

/** Status, type and length of an answer. */
function raw(observed: unknown, { status, headers, text }: Answer) {
  const [lines = []] = observed as [string[]];
  const header = (name: string) =>
    lines.find((line) => line.toLowerCase().startsWith(`${name}:`))?.split(": ")[1];
  return [
    {
      status: Number(lines[0]?.split(" ")[1]),
      type: header("content-type"),
      length: header("content-length"),
    },
    { status, type: headers["content-type"], length: String(Buffer.byteLength(text)) },
  ] as const;
}

async function find({ server: { deps, tenantId } }: World, email: string): Promise<Person | null> {
  const tenant = await findTenantById(deps, tenantId);
  return tenant ? findPerson(deps, tenant, { email }) : null;
}

/** How to see with us what the recorder saw beside the answers; `NOT_REPLAYED` has the rest. */
export const OBSERVATIONS: Readonly<Record<string, Look>> = {
  ...Object.fromEntries(
    [
      "default: login/ok decoded",
      "default: login/other origin decoded last_login",
      "default: root decoded",
      "default: manager decoded",
      "default: guest decoded (level is 5, not 9)",
      "default: refresh/ok decoded before and after",
      "default: superuser refreshed payload",
      "default: manager refreshed payload has level",
      "default: guest refreshed payload",
      "default: staff refreshed payload",
      "zb_backend: payload now has level",
      "short_refresh: refresh_exp is renewed at each refresh",
      "auth-3.0.1: 3.0.1 claims",
      "auth-3.0.1: 3.0.1 refreshed claims",
    ].map((name) => [name, claims]),
  ),
  ...Object.fromEntries(
    [
      "default: login/ok cache",
      "default: cache after two origins",
      "default: cache: superuser not stored",
      "default: refresh cache",
    ].map((name) => [name, openSessions]),
  ),
  ...Object.fromEntries(
    ["default: change/ok mail", "default: request/ok mail", "default: add/minimal mail"].map((name) => [
      name,
      mails,
    ]),
  ),
  "default: login/ok db user": user("plain@example.com", [...PERSON, ...PROFILE]),
  "default: add/minimal db": user("new1@example.com", [...PERSON, ...PROFILE]),
  "default: add/full db (email domain lower-cased; username and password replaced)": user(
    "New2@example.com",
    [...PERSON, ...PROFILE],
  ),
  "default: multiple_login stays false for non-staff; not an error": user("plain@example.com", PROFILE),
  "allow_multiple: db": user("mm@example.com", PROFILE),
  "default: is_active false user": user("l18@example.com", ["is_active", "is_staff"]),
  // Ours finds an address in any case (Part 7, 14): `request/other case` was no failure.
  "default: mails after failures": async ({ world, observed }) => [
    observed,
    (await newMails(world, 1)).length - 1,
  ],
  "default: mails": async ({ world, observed }) => {
    const theirs = (observed as string[][]).flat();
    const all = await eventually(
      async () => (await world.mails()).map(({ to }) => to),
      (tos) => theirs.every((to) => tos.includes(to)),
    );
    return [theirs, theirs.filter((to) => all.includes(to))];
  },
  "default: permission/list count as plain": async ({ observed, answer }) => [observed, answer?.body],
  "default: rolled back?": async ({ world, observed }) => {
    // `add/roles null` is no failure of ours.
    const { "l11@example.com": _added, ...theirs } = observed as Facts;
    const there = Object.keys(theirs).map(
      async (email) => [email, (await find(world, email)) !== null] as const,
    );
    return [theirs, Object.fromEntries(await Promise.all(there))];
  },
  "default: avatar of new user": async ({ world, observed }) => {
    const { deps, tenantId } = world.server;
    const { id = "" } = (await find(world, "av@example.com")) ?? {};
    const picture = await findAvatarOfUser(deps, tenantId, id);
    return [(observed as { avatar: string }).avatar.split(".").at(-1), picture?.mediaType.split("/").at(-1)];
  },
  "default: raw 204 avatar (body bytes after a 204)": async ({ world }) => [
    { status: 204, text: "" },
    await world
      .call("/user/avatar/", { token: await world.mint(10) })
      .then(({ status, text }) => ({ status, text })),
  ],
  "default: raw 412 with all headers": async ({ world, observed }) => {
    await world.token("viewer");
    return raw(
      observed,
      await world.call("/login/", { body: { email: "viewer@example.com", password: PASSWORD } }),
    );
  },
  "default: raw 200 empty with all headers": async ({ world, observed }) =>
    raw(observed, await world.call("/logout/", { token: await world.mint(10) })),
  "default: raw 204 group/list": async ({ answer }) => [
    { status: 204, text: "" },
    { status: answer?.status, text: answer?.text },
  ],
  "lang_es: mails in Spanish": async ({ world, observed }) => {
    const words = (await newMails(world, 2)).map(({ text }) => /contraseña/i.test(text));
    return [(observed as object[]).map(() => true), words];
  },
  "mail_dns: user was created all the same": async ({ world, observed }) => [
    observed,
    (await find(world, "q@example.com")) !== null,
  ],
  "receivers: log of a login": async (seen) => {
    await seen.world.token("root");
    return event("user.login")(seen);
  },
  "receivers: log of wrong password": event("user.login_refused"),
  "receivers: log of unknown e-mail": event("user.login_refused"),
  "receivers: log of inactive": event("user.login_refused"),
  "receivers: log of user/add": event("user.created"),
  "receivers: log of user/update (holds the password hash)": event("user.updated"),
  "receivers: log of user/delete": event("user.deleted"),
  "receivers: log of change-password": event("password.changed"),
  "receivers: log of request-password": event("password.requested"),
  "receivers: group created -> level 5 row": async ({ world, observed }) => {
    const { deps, tenantId } = world.server;
    const { name, level } = observed as { name: string; level: number };
    await createGroup(deps, contextOf(tenantId), { code: "fresh", name });
    const { body } = await world.call("/group/list/", { token: await world.mint(ADMIN) });
    return [level, (body as { name: string; level: number }[]).find((group) => group.name === name)?.level];
  },
  "tz_bogota: last_login claim": async (seen) => {
    const last = (user: unknown) => String((user as Facts)["last_login"]).slice(-6);
    return [last(seen.observed), last(payloadOf(seen.replay.last).user)];
  },
  "auth-3.0.1: 3.0.1 cache keys": async ({ world, observed }) => [
    (observed as { keys: string[] }).keys,
    (await keysOf(world)).map((key) => createHash("md5").update(key).digest("hex")),
  ],
  "auth-3.0.1: 3.0.1 mails": async ({ world, observed }) => [
    /<(.*)>/.exec((observed as { to: string[] }).to[0] ?? "")?.[1],
    (await newMails(world, 1)).at(-1)?.to,
  ],
};
