import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from "jose";
import { describe, expect, it } from "vitest";
import { ChangeFeed } from "../../kernel/changes.ts";
import { contextOf } from "../../testing/test-deps.ts";
import { updateSettings } from "../tenants/index.ts";
import {
  deleteSigningKey,
  listSigningKeys,
  publicJwks,
  rotateDueKeys,
  rotateSigningKeys,
  signJwt,
} from "./index.ts";
import { aWorld } from "./testing/a-world.ts";
import { verifyJwt } from "./verify-jwt.ts";

const DAY = 86_400;

/** Of a process of its own, which has nothing in its caches yet. */
function aLiveFeed(): ChangeFeed {
  const feed = new ChangeFeed();
  feed.setLive(true);
  return feed;
}

describe("signing keys", () => {
  it("come into being once, however many need them first", async () => {
    await using world = await aWorld();
    const { deps, tenant, context } = world;

    const processes = Array.from({ length: 6 }, () => ({ ...deps, feed: aLiveFeed() }));
    const tokens = await Promise.all(
      processes.map((process) => signJwt(process, tenant.id, "JWT", { a: 1 }, "ES256")),
    );

    expect(await listSigningKeys(deps, context)).toHaveLength(1);
    for (const token of tokens) expect(await verifyJwt(deps, tenant.id, "JWT", token)).toEqual({ a: 1 });
  });

  it.each(["ES256", "RS256", "EdDSA"] as const)("sign %s so that others can verify it", async (algorithm) => {
    await using world = await aWorld();
    const { deps, tenant } = world;

    const token = await signJwt(deps, tenant.id, "at+jwt", { sub: "x" }, algorithm);
    const jwks = createLocalJWKSet((await publicJwks(deps, tenant.id)) as unknown as JSONWebKeySet);
    const { payload, protectedHeader } = await jwtVerify(token, jwks, { typ: "at+jwt" });

    expect(payload).toEqual({ sub: "x" });
    expect(protectedHeader.alg).toBe(algorithm);
    expect(JSON.stringify(await publicJwks(deps, tenant.id))).not.toMatch(/"d":/);
  });

  it("sign with ES256 in 64 bytes, also where a number begins with zeros", async () => {
    await using world = await aWorld();
    const { deps, tenant } = world;
    // One number in 256 is shorter: 600 signatures have some with all but certainty.
    for (let n = 0; n < 600; n++) {
      const token = await signJwt(deps, tenant.id, "JWT", { n }, "ES256");
      expect(token.split(".")[2]).toHaveLength(86);
      expect(await verifyJwt(deps, tenant.id, "JWT", token)).toEqual({ n });
    }
  });

  it("sign synchronously once the key is known", async () => {
    await using world = await aWorld();
    const { deps, tenant } = world;
    await signJwt(deps, tenant.id, "JWT", {}, "ES256");

    expect(signJwt(deps, tenant.id, "JWT", {}, "ES256")).toBeTypeOf("string");
  });

  it("are rotated by hand with overlap: old tokens verify until they have all expired", async () => {
    await using world = await aWorld();
    const { deps, tenant, context, clock } = world;
    const before = await signJwt(deps, tenant.id, "JWT", { n: 1 }, "ES256");

    const made = await rotateSigningKeys(deps, context);
    const after = await signJwt(deps, tenant.id, "JWT", { n: 2 }, "ES256");

    expect(JSON.parse(Buffer.from(after.split(".")[0] ?? "", "base64url").toString())).toMatchObject({
      kid: made.kid,
    });
    expect(await verifyJwt(deps, tenant.id, "JWT", before)).toEqual({ n: 1 });
    clock.advance(2 * DAY);
    await rotateDueKeys(deps);
    await expect(async () => verifyJwt(deps, tenant.id, "JWT", before)).rejects.toMatchObject({
      code: "token.invalid",
    });
    expect(await listSigningKeys(deps, context)).toHaveLength(1);
  });

  it("are rotated by the calendar: published a day ahead, then active, then retiring", async () => {
    await using world = await aWorld();
    const { deps, tenant, context, clock } = world;
    await updateSettings(deps, context, { tokens: { keyRotationDays: 30 } });
    await signJwt(deps, tenant.id, "JWT", {}, "ES256");
    const states = async () => (await listSigningKeys(deps, context)).map((key) => key.status);

    clock.advance(28 * DAY);
    await rotateDueKeys(deps);
    expect(await states()).toEqual(["active"]);

    clock.advance(1 * DAY);
    await Promise.all([rotateDueKeys(deps), rotateDueKeys(deps), rotateDueKeys(deps)]);
    expect(await states()).toEqual(["active", "next"]);
    expect((await publicJwks(deps, tenant.id)).keys).toHaveLength(2);

    clock.advance(1 * DAY);
    await Promise.all([rotateDueKeys(deps), rotateDueKeys(deps), rotateDueKeys(deps)]);
    expect(await states()).toEqual(["retiring", "active"]);
    await signJwt(deps, tenant.id, "JWT", {}, "ES256");

    clock.advance(2 * DAY);
    await rotateDueKeys(deps);
    expect(await states()).toEqual(["active"]);
  });

  it("can be removed when they leaked, but not while they sign", async () => {
    await using world = await aWorld();
    const { deps, tenant, context } = world;
    const token = await signJwt(deps, tenant.id, "JWT", {}, "ES256");
    const [first] = await listSigningKeys(deps, context);
    const kid = first?.kid ?? "";

    await expect(deleteSigningKey(deps, context, kid)).rejects.toMatchObject({ code: "signing_key.in_use" });
    await rotateSigningKeys(deps, context);
    await deleteSigningKey(deps, context, kid);

    await expect(async () => verifyJwt(deps, tenant.id, "JWT", token)).rejects.toMatchObject({
      code: "token.invalid",
    });
  });

  it("are nobody's business without the permission, and each tenant's own", async () => {
    await using world = await aWorld();
    const { deps, tenant, other } = world;
    const nobody = contextOf(tenant.id, { permissions: new Set() });

    await expect(rotateSigningKeys(deps, nobody)).rejects.toMatchObject({ code: "permission.denied" });
    await expect(listSigningKeys(deps, nobody)).rejects.toMatchObject({ code: "permission.denied" });
    const token = await signJwt(deps, tenant.id, "JWT", {}, "ES256");
    await expect(async () => verifyJwt(deps, other.id, "JWT", token)).rejects.toMatchObject({
      code: "token.invalid",
    });
  });
});
