import { createPublicKey, sign, verify } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ChangeFeed } from "../../kernel/changes.ts";
import { contextOf } from "../../testing/test-deps.ts";
import { deleteTenant, updateSettings } from "../tenants/index.ts";
import {
  deleteDialectKey,
  findActiveDialectKey,
  findDialectKeyById,
  findDialectKeys,
  listDialectKeys,
  publicJwks,
  rotateDialectKeys,
  rotateDueKeys,
} from "./index.ts";
import { aWorld } from "./testing/a-world.ts";

const DAY = 86_400;

/** Of a process of its own, which has nothing in its caches yet. */
function aLiveFeed(): ChangeFeed {
  const feed = new ChangeFeed();
  feed.setLive(true);
  return feed;
}

describe("keys of dialects", () => {
  it.each(["blueking", "zibanu"] as const)(
    "come into being once, however many need them first: %s",
    async (purpose) => {
      await using world = await aWorld();
      const { deps, tenant, context } = world;

      const processes = Array.from({ length: 6 }, () => ({ ...deps, feed: aLiveFeed() }));
      const keys = await Promise.all(
        processes.map((process) => findActiveDialectKey(process, tenant.id, purpose)),
      );

      expect(new Set(keys.map((key) => key.kid)).size).toBe(1);
      expect(await listDialectKeys(deps, context)).toHaveLength(1);
    },
  );

  it("are plain values once they are known", async () => {
    await using world = await aWorld();
    const { deps, tenant } = world;
    expect((await findDialectKeys(deps, tenant.id, "zibanu")).active).toBeUndefined();
    const key = await findActiveDialectKey(deps, tenant.id, "zibanu");

    expect(await findDialectKeys(deps, tenant.id, "zibanu")).toMatchObject({ active: { kid: key.kid } });
    expect(findActiveDialectKey(deps, tenant.id, "zibanu")).not.toBeInstanceOf(Promise);
    expect(findDialectKeyById(deps, tenant.id, "zibanu", key.kid)).not.toBeInstanceOf(Promise);
  });

  it("are a pair for RS512, of which only the public half can be seen", async () => {
    await using world = await aWorld();
    const { deps, tenant, context } = world;
    const key = await findActiveDialectKey(deps, tenant.id, "blueking");
    const text = Buffer.from("text");
    if (!key.signingKey) throw new Error("the active key signs");

    const [listed] = await listDialectKeys(deps, context);
    const signature = sign("sha512", text, key.signingKey);
    expect(verify("sha512", text, createPublicKey(listed?.publicKey ?? ""), signature)).toBe(true);
    expect(JSON.stringify(await listDialectKeys(deps, context))).not.toContain("PRIVATE");
  });

  it("are a secret of 64 bytes for HS512, which nobody can see", async () => {
    await using world = await aWorld();
    const { deps, tenant, context } = world;
    const key = await findActiveDialectKey(deps, tenant.id, "zibanu");

    expect(key.verifyingKey.symmetricKeySize).toBe(64);
    expect(key.publicPem).toBeNull();
    const secret = key.verifyingKey.export().toString("base64url");
    expect(JSON.stringify(await listDialectKeys(deps, context))).not.toContain(secret);
  });

  it("are never published among the keys of OpenID Connect", async () => {
    await using world = await aWorld();
    const { deps, tenant } = world;
    const key = await findActiveDialectKey(deps, tenant.id, "blueking");
    expect(JSON.stringify(await publicJwks(deps, tenant.id))).not.toContain(key.kid);
  });

  it("rotate by hand: what the old one signed is good until it has expired", async () => {
    await using world = await aWorld();
    const { deps, tenant, context, clock } = world;
    for (const purpose of ["blueking", "zibanu"] as const) {
      const before = await findActiveDialectKey(deps, tenant.id, purpose);

      const made = await rotateDialectKeys(deps, context, purpose);
      const ring = await findDialectKeys(deps, tenant.id, purpose);
      expect(ring.active?.kid).toBe(made.kid);
      expect(ring.byKid.get(before.kid)).toMatchObject({ status: "retiring", signingKey: null });
      expect(await findDialectKeyById(deps, tenant.id, purpose, before.kid)).toBeDefined();
    }
    clock.advance(3_601);
    await rotateDueKeys(deps);
    expect((await findDialectKeys(deps, tenant.id, "blueking")).byKid.size).toBe(1);
    expect((await findDialectKeys(deps, tenant.id, "zibanu")).byKid.size).toBe(2);
    clock.advance(30 * DAY);
    await rotateDueKeys(deps);
    expect((await findDialectKeys(deps, tenant.id, "zibanu")).byKid.size).toBe(1);
  });

  it("rotate by the calendar like signing keys, but a gateway's only by hand", async () => {
    await using world = await aWorld();
    const { deps, tenant, context, clock } = world;
    await updateSettings(deps, context, { tokens: { keyRotationDays: 30 } });
    await findActiveDialectKey(deps, tenant.id, "zibanu");
    await findActiveDialectKey(deps, tenant.id, "blueking");
    const states = async (purpose: string) =>
      (await listDialectKeys(deps, context))
        .filter((key) => key.purpose === purpose)
        .map((key) => key.status);

    clock.advance(29 * DAY);
    await Promise.all([rotateDueKeys(deps), rotateDueKeys(deps)]);
    expect(await states("zibanu")).toEqual(["active", "next"]);
    clock.advance(1 * DAY);
    await Promise.all([rotateDueKeys(deps), rotateDueKeys(deps)]);
    expect(await states("zibanu")).toEqual(["retiring", "active"]);
    clock.advance(1_000 * DAY);
    await rotateDueKeys(deps);
    expect(await states("blueking")).toEqual(["active"]);
  });

  it("can be forgotten when they leaked, but not while they sign", async () => {
    await using world = await aWorld();
    const { deps, tenant, context } = world;
    const { kid } = await findActiveDialectKey(deps, tenant.id, "zibanu");

    await expect(deleteDialectKey(deps, context, kid)).rejects.toMatchObject({ code: "signing_key.in_use" });
    await rotateDialectKeys(deps, context, "zibanu");
    await deleteDialectKey(deps, context, kid);
    expect(await findDialectKeyById(deps, tenant.id, "zibanu", kid)).toBeUndefined();
    await expect(deleteDialectKey(deps, context, kid)).rejects.toMatchObject({
      code: "signing_key.not_found",
    });
  });

  it("are each tenant's own, and nobody's business without the permission", async () => {
    await using world = await aWorld();
    const { deps, tenant, other, context } = world;
    const { kid } = await findActiveDialectKey(deps, tenant.id, "zibanu");
    expect((await findActiveDialectKey(deps, other.id, "zibanu")).kid).not.toBe(kid);
    expect(await findDialectKeyById(deps, other.id, "zibanu", kid)).toBeUndefined();

    const nobody = contextOf(tenant.id, { permissions: new Set() });
    await expect(rotateDialectKeys(deps, nobody, "zibanu")).rejects.toMatchObject({
      code: "permission.denied",
    });
    await expect(listDialectKeys(deps, nobody)).rejects.toMatchObject({ code: "permission.denied" });
    await expect(deleteDialectKey(deps, nobody, kid)).rejects.toMatchObject({ code: "permission.denied" });
    await deleteTenant(deps, context, other.id); // its keys go with it
  });
});
