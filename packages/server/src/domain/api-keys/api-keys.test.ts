import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  audited,
  holding,
  refusal,
  refusals,
  type TwoTenants,
  twoTenants,
} from "../../testing/two-tenants.ts";
import { createRole } from "../access/index.ts";
import { createApplication, deleteApplication, updateApplication } from "../applications/index.ts";
import { suspendUser } from "../users/index.ts";
import {
  apiKeyPermissions,
  createApiKey,
  deleteApiKey,
  findApiKey,
  finishLastUsed,
  getApiKey,
  listApiKeys,
  updateApiKey,
  type VerifiedApiKey,
} from "./index.ts";

let world: TwoTenants;
let number = 0;
let ann: string;
beforeAll(async () => {
  world = await twoTenants();
  const { deps, context } = world;
  await createRole(deps, context, { code: "editor", permissions: ["user:*", "role:read", "api-key:write"] });
});
beforeEach(async () => {
  ann = await world.aUser(`ann-${++number}`, ["editor"]);
});
afterAll(() => world[Symbol.asyncDispose]());

const create = (input: Partial<Parameters<typeof createApiKey>[2]> = {}) =>
  createApiKey(world.deps, world.context, { name: "ci", type: "user", userId: ann, ...input });

async function verified(key: string): Promise<VerifiedApiKey> {
  const found = await findApiKey(world.deps, key);
  if (!found) throw new Error("the key is not good");
  return found;
}
const permissionsOf = async (key: string) => {
  const permissions = await apiKeyPermissions(world.deps, await verified(key));
  return permissions && [...permissions].sort();
};
const anApplication = (administers: "tenant" | null = null) =>
  createApplication(world.deps, world.context, { slug: `app-${number}`, name: "App", administers });

describe("a key", () => {
  it("is shown once, found by its text, and stored as a keyed hash", async () => {
    const { apiKey, key } = await create();
    expect(key).toMatch(/^ak_[0-9a-f]{32}$/);
    expect(apiKey).toMatchObject({ type: "user", userId: ann, hint: key.slice(-4), lastUsedAt: null });
    expect(await verified(key)).toMatchObject({ id: apiKey.id, tenantId: world.context.tenantId });
    expect(findApiKey(world.deps, key)).not.toBeInstanceOf(Promise);
    const rows = await world.database.query("select encode(hash, 'escape') as hash, * from api_keys");
    expect(JSON.stringify(rows)).not.toContain(key.slice(3));
    expect(JSON.stringify(await audited(world, apiKey.id, 1))).not.toContain(key.slice(3));
  });

  it("is not found by anything else", async () => {
    const { key } = await create();
    for (const wrong of [
      "",
      "ak_",
      key.toUpperCase(),
      ` ${key}`,
      `${key}0`,
      key.slice(0, -1),
      "ak_".padEnd(35, "0"),
    ]) {
      expect(await findApiKey(world.deps, wrong), wrong).toBeNull();
    }
  });

  it("stops at its end and when it is disabled, and works again when enabled", async () => {
    const { deps, context, clock } = world;
    const expiresAt = new Date(clock.now().getTime() + 60_000).toISOString();
    const { apiKey, key } = await create({ expiresAt });
    await verified(key);
    await updateApiKey(deps, context, apiKey.id, { status: "disabled" });
    expect(await findApiKey(deps, key)).toBeNull();
    await updateApiKey(deps, context, apiKey.id, { status: "active" });
    expect(await findApiKey(deps, key)).not.toBeNull();
    clock.advance(60);
    expect(await findApiKey(deps, key)).toBeNull();
    await updateApiKey(deps, context, apiKey.id, { expiresAt: null });
    expect(await findApiKey(deps, key)).not.toBeNull();
    await deleteApiKey(deps, context, apiKey.id);
    expect(await findApiKey(deps, key)).toBeNull();
  });

  it("may be given, once", async () => {
    const { deps, context } = world;
    const key = `ak_${String(number).padStart(32, "0")}`;
    const given = () => createApiKey(deps, context, { name: "ci", type: "global" }, { key });
    expect(await findApiKey(deps, key)).toBeNull(); // an earlier miss must not hide it
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => refusal(given())));
    expect(outcomes.filter((outcome) => outcome === "fulfilled")).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === "api_key.key_taken")).toHaveLength(7);
    expect((await verified(key)).type).toBe("global");
    const odd = createApiKey(deps, context, { name: "ci", type: "global" }, { key: "ak_short" });
    expect(await refusal(odd)).toBe("api_key.invalid");
  });

  it("has the owner that its type asks for", async () => {
    const { application } = await anApplication();
    expect(
      await refusals([
        create({ type: "global" }),
        create({ type: "application" }),
        create({ type: "application", applicationId: application.id }),
      ]),
    ).toEqual(["api_key.owner_invalid"]);
    expect(await refusal(create({ userId: "0".repeat(24) }))).toBe("user.not_found");
  });

  it("remembers its last use, written in a group", async () => {
    const { deps, context, clock } = world;
    const { apiKey, key } = await create();
    await verified(key);
    clock.advance(5);
    await verified(key);
    expect((await getApiKey(deps, context, apiKey.id)).lastUsedAt).toBeNull();
    await finishLastUsed(deps);
    expect((await getApiKey(deps, context, apiKey.id)).lastUsedAt).toBe(clock.now().toISOString());
    expect((await getApiKey(deps, context, apiKey.id)).version).toBe(1);
  });
});

describe("what a key may do", () => {
  it("is what its user may do, as far as the key names it", async () => {
    expect(await permissionsOf((await create()).key)).toEqual(["api-key:write", "role:read", "user:*"]);
    const narrow = await create({ permissions: ["user:read", "role:*", "tenant:write"] });
    expect(await permissionsOf(narrow.key)).toEqual(["role:read", "user:read"]);
    expect(await permissionsOf((await create({ permissions: ["*"] })).key)).toEqual([
      "api-key:write",
      "role:read",
      "user:*",
    ]);
    expect(await permissionsOf((await create({ permissions: [] })).key)).toEqual([]);
  });

  it("is nothing while its user is suspended", async () => {
    const { key } = await create();
    await suspendUser(world.deps, world.context, ann);
    expect(await permissionsOf(key)).toBeNull();
  });

  it("is everything for an application that administers the tenant, else nothing", async () => {
    const { deps, context } = world;
    const { application } = await anApplication("tenant");
    const owner = { type: "application", applicationId: application.id } as const;
    const { key } = await createApiKey(deps, context, { name: "batch", ...owner });
    expect(await permissionsOf(key)).toEqual(["*"]);
    await updateApplication(deps, context, application.id, { administers: null });
    expect(await permissionsOf(key)).toEqual([]);
    await updateApplication(deps, context, application.id, { status: "disabled" });
    expect(await permissionsOf(key)).toBeNull();
    await deleteApplication(deps, context, application.id);
    expect(await findApiKey(deps, key)).toBeNull();
  });

  it("is what a global key names, by default everything", async () => {
    const { deps, context } = world;
    const all = await createApiKey(deps, context, { name: "all", type: "global" });
    expect(await permissionsOf(all.key)).toEqual(["*"]);
    const some = await createApiKey(deps, context, {
      name: "some",
      type: "global",
      permissions: ["user:read"],
    });
    expect(await permissionsOf(some.key)).toEqual(["user:read"]);
  });
});

describe("rights over keys", () => {
  it("are the permission and all that the key can do", async () => {
    const { deps, context, aUser } = world;
    const boss = await aUser(`boss-${number}`, ["administrator"]);
    const limited = holding(context, ["api-key:*", "user:*"]);
    const made = (input: Parameters<typeof createApiKey>[2]) => createApiKey(deps, limited, input);
    const bossKey = await create({ userId: boss });
    const escalations = [
      made({ name: "x", type: "user", userId: boss }),
      made({ name: "x", type: "user", userId: ann }),
      made({ name: "x", type: "global" }),
      made({ name: "x", type: "global", permissions: ["user:read", "role:read"] }),
      updateApiKey(deps, limited, bossKey.apiKey.id, { expiresAt: null }),
      deleteApiKey(deps, limited, bossKey.apiKey.id),
    ];
    expect(await refusals(escalations)).toEqual(["permission.escalation"]);
    const fine = await made({ name: "x", type: "user", userId: boss, permissions: ["user:read"] });
    expect(await permissionsOf(fine.key)).toEqual(["user:read"]);
    expect(await refusal(updateApiKey(deps, limited, fine.apiKey.id, { permissions: null }))).toBe(
      "permission.escalation",
    );
    expect((await listApiKeys(deps, context, { userId: boss })).items).toHaveLength(2);
    const nobody = holding(context, ["user:*"]);
    expect(
      await refusals([
        createApiKey(deps, nobody, { name: "x", type: "global", permissions: [] }),
        getApiKey(deps, nobody, fine.apiKey.id),
        listApiKeys(deps, nobody),
        deleteApiKey(deps, nobody, fine.apiKey.id),
      ]),
    ).toEqual(["permission.denied"]);
  });

  it("end at the tenant", async () => {
    const { deps, foreign } = world;
    const { apiKey } = await create();
    expect(
      await refusals([
        getApiKey(deps, foreign, apiKey.id),
        updateApiKey(deps, foreign, apiKey.id, { name: "mine" }),
        deleteApiKey(deps, foreign, apiKey.id),
      ]),
    ).toEqual(["api_key.not_found"]);
    expect(await refusal(createApiKey(deps, foreign, { name: "x", type: "user", userId: ann }))).toBe(
      "user.not_found",
    );
  });

  it("refuse a stale version", async () => {
    const { deps, context } = world;
    const { apiKey } = await create();
    expect((await updateApiKey(deps, context, apiKey.id, { name: "a" }, 1)).version).toBe(2);
    expect(
      await refusals([
        updateApiKey(deps, context, apiKey.id, { name: "b" }, 1),
        deleteApiKey(deps, context, apiKey.id, 1),
      ]),
    ).toEqual(["precondition.failed"]);
  });
});
