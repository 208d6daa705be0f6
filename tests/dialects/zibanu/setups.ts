import { assignRoles, findPrincipal } from "../../../packages/server/src/domain/access/index.ts";
import { createGroup, deleteGroup, listGroups } from "../../../packages/server/src/domain/groups/index.ts";
import { findPerson } from "../../../packages/server/src/domain/levels/index.ts";
import { findTenantById } from "../../../packages/server/src/domain/tenants/index.ts";
import {
  createUser,
  deleteUser,
  setAvatar,
  updateUser,
} from "../../../packages/server/src/domain/users/index.ts";
import { contextOf } from "../../../packages/server/src/testing/test-deps.ts";
import type { Replay } from "./recordings.ts";
import type { World } from "./world.ts";

type SetUp = (world: World, replay: Replay) => Promise<unknown>;

/** What the recorder did to the data base, the clock or other sessions before a request, by the request's name. */
export const SETUPS: Readonly<Record<string, SetUp>> = {
  "default: login/duplicate e-mail first wins": (world) => addUser(world, "dup@example.com", "first-one-1"),
  "default: logout/then login at first origin still 412": (world) =>
    world.token("plain", "https://a.example"),
  "default: inactive user token still works": async (world, replay) => {
    for (const n of [23, 25]) await replay.know(n, AT_REFRESH);
    await suspend(world, "victim");
  },
  "default: logout/with body": async (world, replay) => {
    await update(world, "victim", { status: "active" });
    replay.forget(25);
  },
  "default: deleted user token /auth/logout/": async (world, replay) => {
    await update(world, "victim", { status: "active" });
    for (let n = 26; n <= 40; n++) await replay.know(n, AT_REFRESH);
    await deleteUser(world.server.deps, contextOf(world.server.tenantId), await idOf(world, "victim"));
    await until(async () => (await principalOf(world, 12)) === null);
  },
  "default: user/update avatar of another": (world) =>
    update(world, "plain", {
      preferences: {
        timezone: "America/Lima",
        theme: "dark",
        language: "zzz",
        messagesTimeout: -1,
        keepLoggedIn: false,
        multipleLogin: false,
        securePassword: false,
        applicationSettings: 3,
      },
    }),
  "default: user/add with markup in the name": async (_world, replay) => replay.forget(97),
  "default: request-password with duplicate e-mail: first one only": (world) =>
    addUser(world, "same@example.com", "first-one-1"),
  "default: user/update duplicate keys in roles": asNew,
  "default: group/list no groups at all": async ({ server: { deps, tenantId } }) => {
    const admin = contextOf(tenantId);
    for (const { id } of (await listGroups(deps, admin, {})).items) await deleteGroup(deps, admin, id);
  },
  "default: group/list all filtered away: 200 with empty list": ({ server: { deps, tenantId } }) =>
    createGroup(deps, contextOf(tenantId), { code: "higher", level: 3 }),
  "default: user/list by a permission of the group": async (world) => {
    const { deps, tenantId } = world.server;
    await assignRoles(deps, contextOf(tenantId), await idOf(world, "plain"), ["viewers"]);
    await until(async () => (await principalOf(world, 5))?.permissions.has("user:read") === true);
  },
  "default: inactive staff still lists permissions": async (world, replay) => {
    for (const n of [124, 125, 126]) await replay.know(n, AT_REFRESH);
    for (const name of ["staff", "viewer", "admin"]) await suspend(world, name);
  },
  "default: flags are read from the data base, not from the token": async (world, replay) => {
    await replay.know(127, AT_REFRESH);
    const { deps, tenantId } = world.server;
    const tenant = await findTenantById(deps, tenantId);
    const person = tenant && (await findPerson(deps, tenant, { serial: replay.serialOf(127) }));
    await assignRoles(deps, contextOf(tenantId), person?.id ?? "", ["staff"]);
    await until(
      async () => (await principalOf(world, replay.serialOf(127)))?.roles.includes("staff") === true,
    );
  },
  "lang_es: 412": (world) => world.token("plain"),
  "lang_locale_mw: 412 with Accept-Language es": (world) => world.token("plain"),
  "tz_bogota: user/profile: last_login in server TIME_ZONE": async (world, replay) => {
    await world.token("plain");
    await replay.know(128, AT_REFRESH);
  },
  "short_life: after exp": async ({ server }) => server.clock.advance(5),
  "short_life: login again: cache entry expired with it": async ({ server }) => server.clock.advance(3_600),
  "short_refresh: works after refresh_exp": async ({ server }, replay) => {
    await replay.know(175, AT_REFRESH);
    server.clock.advance(5);
  },
  "short_refresh: refresh in time": async (_world, replay) => replay.forget(176),
  "no_blacklist: user/profile": async (_world, replay) => replay.forget(184),
};

/** A token that is known in time, in the session of a browser without an origin. */
const AT_REFRESH = { path: "/refresh/", headers: {} };

async function asNew(world: World): Promise<void> {
  const { deps, tenantId } = world.server;
  await setAvatar(deps, contextOf(tenantId), await idOf(world, "plain"), null, {
    limits: { bytes: 1, pixels: 1 },
    addressOf: String,
  });
  await update(world, "plain", {
    profile: { givenName: "Plain", familyName: "Test" },
    preferences: {
      timezone: "America/Bogota",
      theme: "corporate",
      language: "en",
      messagesTimeout: 10,
      keepLoggedIn: false,
      multipleLogin: false,
      securePassword: false,
      applicationSettings: null,
    },
  });
}

async function addUser({ server: { deps, tenantId } }: World, email: string, plain: string): Promise<void> {
  const preferences = { theme: "corporate" };
  await createUser(deps, contextOf(tenantId), {
    email,
    emailVerified: true,
    password: { plain },
    preferences,
  } as Parameters<typeof createUser>[2]);
}

async function idOf({ server: { deps, tenantId } }: World, name: string): Promise<string> {
  const tenant = await findTenantById(deps, tenantId);
  const person = tenant && (await findPerson(deps, tenant, { email: `${name}@example.com` }));
  if (!person) throw new Error(`nobody is ${name}`);
  return person.id;
}

async function update(world: World, name: string, change: Parameters<typeof updateUser>[3]): Promise<void> {
  const { deps, tenantId } = world.server;
  await updateUser(deps, contextOf(tenantId), await idOf(world, name), change);
}

async function suspend(world: World, name: string): Promise<void> {
  const id = await idOf(world, name);
  await update(world, name, { status: "suspended" });
  const { deps, tenantId } = world.server;
  await until(async () => (await findPrincipal(deps, tenantId, id))?.status !== "active");
}

async function principalOf({ server: { deps, tenantId } }: World, serial: number) {
  const tenant = await findTenantById(deps, tenantId);
  const person = tenant && (await findPerson(deps, tenant, { serial }));
  return person ? findPrincipal(deps, tenantId, person.id) : null;
}

/** Notices of changes reach the caches a moment later. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 500; i++) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("the change did not arrive");
}
