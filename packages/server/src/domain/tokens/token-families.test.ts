import { describe, expect, it } from "vitest";
import { revokeSession } from "../sessions/index.ts";
import { challengeOf } from "./authorization-code.ts";
import {
  deleteExpiredFamilies,
  introspectToken,
  redeemCode,
  revokeToken,
  rotateRefreshToken,
} from "./index.ts";
import { anApplication, aWorld } from "./testing/a-world.ts";
import { selectFamily } from "./token-family.store.ts";

type World = Awaited<ReturnType<typeof aWorld>>;

const REDIRECT_URI = "https://shop.example/callback";
const VERIFIER = "v".repeat(43);
const DAY = 86_400;

function redeem(world: World, code: string, overrides: Partial<Parameters<typeof redeemCode>[3]> = {}) {
  return redeemCode(world.deps, world.context, world.tenant, {
    application: world.application,
    code,
    redirectUri: REDIRECT_URI,
    codeVerifier: null,
    ...overrides,
  });
}

function rotate(world: World, token: string | undefined, scopes: string[] = []) {
  return rotateRefreshToken(world.deps, world.context, world.tenant, world.application, token ?? "", scopes);
}

async function refusal(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "fulfilled",
    (error: { reason?: string; code: string }) => `${error.code}: ${error.reason ?? ""}`,
  );
}

const outcomes = (all: PromiseSettledResult<unknown>[]) =>
  all.filter((one) => one.status === "fulfilled").length;

describe("an authorization code", () => {
  it("is redeemed once by eight racing clients, and what the winner got is then revoked (RFC 6749 §4.1.2)", async () => {
    await using world = await aWorld();
    const code = await world.code();

    const all = await Promise.allSettled(Array.from({ length: 8 }, () => redeem(world, code)));

    expect(outcomes(all)).toBe(1);
    const winner = all.find((one) => one.status === "fulfilled");
    expect(await refusal(rotate(world, winner?.value.refreshToken))).toBe(
      "grant.invalid: family was revoked",
    );
  });

  it("is refused after its lifetime, with another redirect URI, client or tenant", async () => {
    await using world = await aWorld();
    const { deps, tenant, other, context } = world;
    const stranger = await anApplication(deps, tenant, "stranger");
    const code = await world.code();

    const wrong = [
      () => redeem(world, code, { redirectUri: "https://shop.example/callback/" }),
      () => redeem(world, code, { redirectUri: null }),
      () => redeem(world, code, { application: stranger }),
      () => redeem(world, `${code.slice(0, -1)}${code.endsWith("A") ? "B" : "A"}`),
      () => redeem(world, "nonsense"),
      () =>
        redeemCode(deps, { ...context, tenantId: other.id }, other, {
          application: world.application,
          code,
          redirectUri: REDIRECT_URI,
          codeVerifier: null,
        }),
    ];
    for (const attempt of wrong) expect(await refusal(attempt())).toMatch(/^grant.invalid/);
    world.clock.advance(tenant.settings.tokens.codeSeconds);
    expect(await refusal(redeem(world, code))).toMatch(/^grant.invalid/);
  });

  it("needs its PKCE verifier, and takes none where it has no challenge (RFC 9700 §4.8.2)", async () => {
    await using world = await aWorld();
    const code = await world.code({ codeChallenge: challengeOf(VERIFIER) });
    expect(await refusal(redeem(world, code))).toMatch(/^grant.invalid/);
    expect(await refusal(redeem(world, code, { codeVerifier: "w".repeat(43) }))).toMatch(/^grant.invalid/);
    expect(await refusal(redeem(world, code, { codeVerifier: VERIFIER }))).toBe("fulfilled");

    const plain = await world.code();
    expect(await refusal(redeem(world, plain, { codeVerifier: VERIFIER }))).toMatch(/^grant.invalid/);
  });

  it("is not stored readably", async () => {
    await using world = await aWorld();
    const code = await world.code();
    const rows = await world.deps.database.query("select t::text as row from token_families t");
    expect(JSON.stringify(rows)).not.toContain(code.slice(24));
  });
});

describe("a refresh token", () => {
  it("is rotated; the older one is a reuse that ends the family, and the audit log says so", async () => {
    await using world = await aWorld();
    const first = await redeem(world, await world.code());
    const second = await rotate(world, first.refreshToken);
    const third = await rotate(world, second.refreshToken);
    expect(third.family.generation).toBe(3);

    expect(await refusal(rotate(world, first.refreshToken))).toBe("grant.invalid: refresh token used twice");
    expect(await refusal(rotate(world, third.refreshToken))).toBe("grant.invalid: family was revoked");
    const events = await world.deps.database.query("select reason from events where type = 'token.reused'");
    expect(events).toEqual([{ reason: "refresh token used twice" }]);
  });

  it("is rotated by one of eight at once, and ends for all (RFC 9700 §4.14.2)", async () => {
    await using world = await aWorld();
    for (let round = 0; round < 5; round++) {
      const { refreshToken, family } = await redeem(world, await world.code());
      const all = await Promise.allSettled(Array.from({ length: 8 }, () => rotate(world, refreshToken)));
      expect(outcomes(all)).toBe(1);
      const state = await selectFamily(world.deps.database, world.tenant.id, family.id);
      expect(state?.revokedAt).not.toBeNull();
      expect(state?.generation).toBe(2);
    }
  });

  it("grants no more than before, and keeps the full grant after a narrower request (RFC 6749 §6)", async () => {
    await using world = await aWorld();
    const first = await redeem(world, await world.code());
    expect(await refusal(rotate(world, first.refreshToken, ["openid", "phone"]))).toMatch(
      /^scope.not_granted/,
    );
    const second = await rotate(world, first.refreshToken, ["email"]);
    expect(second.family.scopes).toEqual(["openid", "email"]);
  });

  it("cannot be forged, moved to another tenant, or used by another client", async () => {
    await using world = await aWorld();
    const { deps, context, tenant, other } = world;
    const { refreshToken = "" } = await redeem(world, await world.code());
    const stranger = await anApplication(deps, tenant, "stranger");
    const bytes = Buffer.from(refreshToken, "base64url");
    bytes.writeUInt32BE(2, 12);

    expect(await refusal(rotate(world, bytes.toString("base64url")))).toMatch(
      /^grant.invalid: not a refresh/,
    );
    expect(await refusal(rotate(world, "garbage"))).toMatch(/^grant.invalid: not a refresh/);
    expect(
      await refusal(
        rotateRefreshToken(
          deps,
          { ...context, tenantId: other.id },
          other,
          world.application,
          refreshToken,
          [],
        ),
      ),
    ).toMatch(/^grant.invalid: not a refresh/);
    expect(await refusal(rotateRefreshToken(deps, context, tenant, stranger, refreshToken, []))).toBe(
      "grant.invalid: another client's refresh token",
    );
    expect(await refusal(rotate(world, refreshToken))).toBe("fulfilled");
  });

  it("ends after its idle time, which each use begins anew, and its row goes", async () => {
    await using world = await aWorld();
    const { clock, tenant, deps } = world;
    const idle = tenant.settings.tokens.refreshTokenSeconds;
    let { refreshToken } = await redeem(world, await world.code());
    for (let use = 0; use < 3; use++) {
      clock.advance(idle - 1);
      expect(await deleteExpiredFamilies(deps.database, clock.now(), 100)).toBe(0);
      ({ refreshToken } = await rotate(world, refreshToken));
    }
    clock.advance(idle);
    expect(await refusal(rotate(world, refreshToken))).toBe("grant.invalid: expired");
    clock.advance(2 * DAY);
    expect(await deleteExpiredFamilies(deps.database, clock.now(), 100)).toBe(1);
    expect(await refusal(rotate(world, refreshToken))).toBe("grant.invalid: family is gone");
  });

  it("is updated in place: two hundred rotations leave the indexes as they were", async () => {
    await using world = await aWorld();
    let { refreshToken } = await redeem(world, await world.code());
    const size = async () => {
      const [row] = await world.deps.database.query<{ bytes: number }>(
        `select pg_indexes_size('token_families') as bytes`,
      );
      return row?.bytes;
    };
    const before = await size();
    for (let use = 0; use < 200; use++) ({ refreshToken } = await rotate(world, refreshToken));
    expect(await size()).toBe(before);
  });
});

describe("introspection and revocation", () => {
  it("describe an access token, and a refresh token to its own client only (RFC 7662 §2.2)", async () => {
    await using world = await aWorld();
    const { deps, tenant, application, user } = world;
    const stranger = await anApplication(deps, tenant, "stranger");
    const { refreshToken = "", family } = await redeem(world, await world.code());
    const { token } = await world.accessToken(family.id);

    expect(await introspectToken(deps, tenant, stranger, token)).toMatchObject({
      active: true,
      sub: user.id,
      client_id: application.id,
      username: "ann",
      scope: "openid roles",
      token_type: "Bearer",
    });
    expect(introspectToken(deps, tenant, stranger, token)).not.toBeInstanceOf(Promise);
    expect(await introspectToken(deps, tenant, application, refreshToken)).toMatchObject({
      active: true,
      token_type: "refresh_token",
      sub: user.id,
    });
    expect(await introspectToken(deps, tenant, stranger, refreshToken)).toEqual({ active: false });
    for (const bad of ["", "x", "a.b.c", `${token}x`, "A".repeat(64)]) {
      expect(await introspectToken(deps, tenant, application, bad)).toEqual({ active: false });
    }
    await revokeSession(deps, world.context, world.session.id, "test");
    expect(await introspectToken(deps, tenant, application, token)).toEqual({ active: false });
    expect(await introspectToken(deps, tenant, application, refreshToken)).toEqual({ active: false });
  });

  it("revoking any token ends its family, and nobody else's client may (RFC 7009 §2.1)", async () => {
    await using world = await aWorld();
    const { deps, tenant, application, context } = world;
    const stranger = await anApplication(deps, tenant, "stranger");
    const { refreshToken = "", family } = await redeem(world, await world.code());
    const { token } = await world.accessToken(family.id);

    await expect(revokeToken(deps, context, tenant, stranger, token)).rejects.toMatchObject({
      code: "token.wrong_client",
    });
    await expect(revokeToken(deps, context, tenant, stranger, refreshToken)).rejects.toMatchObject({
      code: "token.wrong_client",
    });
    await revokeToken(deps, context, tenant, application, token);
    expect(await refusal(rotate(world, refreshToken))).toBe("grant.invalid: family was revoked");
    expect(await introspectToken(deps, tenant, application, token)).toEqual({ active: false });
    await revokeToken(deps, context, tenant, application, token); // a second time is no error
    await revokeToken(deps, context, tenant, application, "nonsense");
  });
});
