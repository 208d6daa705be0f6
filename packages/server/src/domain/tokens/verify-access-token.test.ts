import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import { describe, expect, it } from "vitest";
import { updateApplication } from "../applications/index.ts";
import { revokeSession } from "../sessions/index.ts";
import { deleteUser, updateUser } from "../users/index.ts";
import { issueAccessToken, publicJwks, revokeToken, signJwt, verifyAccessToken } from "./index.ts";
import { aWorld } from "./testing/a-world.ts";

type World = Awaited<ReturnType<typeof aWorld>>;

const json = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
const part = (token: string, index: number) =>
  JSON.parse(Buffer.from(token.split(".")[index] ?? "", "base64url").toString("utf8"));

async function verdict(world: World, token: string, tenant = world.tenant): Promise<string> {
  try {
    await verifyAccessToken(world.deps, tenant, token);
    return "good";
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe("verifying an access token", () => {
  it("answers synchronously and without the database when it is warm", async () => {
    await using world = await aWorld();
    const { token } = await world.accessToken();
    await verifyAccessToken(world.deps, world.tenant, token);
    const noDatabase = {
      ...world.deps,
      database: {
        query: () => Promise.reject(new Error("asked the database")),
        transaction: () => Promise.reject(new Error("asked the database")),
      },
    };

    const verified = verifyAccessToken(noDatabase, world.tenant, token);

    expect(verified).not.toBeInstanceOf(Promise);
    expect(verified).toMatchObject({
      claims: { subject: world.user.id, sessionId: world.session.id },
      principal: { username: "ann" },
      application: { slug: "shop" },
    });
  });

  it("says the claims of RFC 9068 §2.2", async () => {
    await using world = await aWorld();
    const { token, expiresIn } = await world.accessToken();
    expect(part(token, 0)).toEqual({ alg: "ES256", typ: "at+jwt", kid: expect.any(String) });
    expect(part(token, 1)).toEqual({
      iss: "http://ostiary.test",
      sub: world.user.id,
      aud: "http://ostiary.test",
      client_id: world.application.id,
      iat: 1767225600,
      exp: 1767225600 + expiresIn,
      jti: expect.stringMatching(/^0{24}\.[A-Za-z0-9_-]{12}$/),
      scope: "openid roles",
      auth_time: 1767225600,
      acr: "urn:ostiary:acr:1",
      amr: ["pwd"],
      sid: world.session.id,
      roles: [],
    });
  });

  it("refuses it from the second it expires, cached or not", async () => {
    await using world = await aWorld();
    const { token, expiresIn } = await world.accessToken();
    expect(await verdict(world, token)).toBe("good");
    world.clock.advance(expiresIn - 1);
    expect(await verdict(world, token)).toBe("good");
    world.clock.advance(1);
    expect(await verdict(world, token)).toBe("token.expired");
    expect(await verdict(world, token)).toBe("token.expired");
  });

  it("refuses it when the user is suspended or deleted, and says which", async () => {
    await using world = await aWorld();
    const { deps, context, user } = world;
    const { token } = await world.accessToken();
    expect(await verdict(world, token)).toBe("good");

    await updateUser(deps, context, user.id, { status: "suspended" });
    expect(await verdict(world, token)).toBe("user.suspended");

    await deleteUser(deps, context, user.id);
    expect(await verdict(world, token)).toBe("user.not_found");
  });

  it("refuses it when the application is disabled, the session ended, or the token was revoked", async () => {
    await using world = await aWorld();
    const { deps, context, tenant, application, session } = world;
    const { token } = await world.accessToken();
    expect(await verdict(world, token)).toBe("good");

    await updateApplication(deps, context, application.id, { status: "disabled" });
    expect(await verdict(world, token)).toBe("application.disabled");
    await updateApplication(deps, context, application.id, { status: "active" });
    expect(await verdict(world, token)).toBe("good");

    await revokeSession(deps, context, session.id, "test");
    expect(await verdict(world, token)).toBe("token.invalid");

    const machine = await issueAccessToken(deps, {
      tenant,
      application,
      familyId: "1".repeat(24),
      subject: application.id,
      scopes: [],
    });
    expect(await verdict(world, machine.token)).toBe("good");
    await revokeToken(deps, context, tenant, application, machine.token);
    expect(await verdict(world, machine.token)).toBe("token.invalid");
  });

  it("trusts no cache while change notices cannot arrive", async () => {
    await using world = await aWorld();
    const { deps, context, user } = world;
    const { token } = await world.accessToken();
    expect(await verdict(world, token)).toBe("good");
    deps.feed.setLive(false);
    await updateUser(deps, context, user.id, { status: "suspended" });
    expect(await verdict(world, token)).toBe("user.suspended");
  });

  it("refuses tokens of another tenant, however they are addressed (RFC 9700 §4.4)", async () => {
    await using world = await aWorld();
    const { token } = await world.accessToken();
    expect(await verdict(world, token, world.other)).toBe("token.invalid");
    expect(await verdict(world, token)).toBe("good");
    expect(await verdict(world, token, world.other)).toBe("token.invalid");
  });

  it("refuses alg none, HMAC with the public key, other keys and other types (RFC 8725 §3)", async () => {
    await using world = await aWorld();
    const { deps, tenant } = world;
    const { token } = await world.accessToken();
    const [header, payload, signature] = token.split(".") as [string, string, string];
    const real = part(token, 0);
    const [jwk] = (await publicJwks(deps, tenant.id)).keys;
    const hmac = `${json({ ...real, alg: "HS256" })}.${payload}`;
    const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
    const forged = `${header}.${payload}`;
    const foreign = sign("sha256", Buffer.from(forged), { key: stranger, dsaEncoding: "ieee-p1363" });
    const claims = part(token, 1);
    const attempts = {
      "alg none": `${json({ ...real, alg: "none" })}.${payload}.`,
      "alg none with a signature": `${json({ ...real, alg: "none" })}.${payload}.${signature}`,
      "HMAC with the public key": `${hmac}.${createHmac("sha256", JSON.stringify(jwk)).update(hmac).digest("base64url")}`,
      "a strange key": `${forged}.${foreign.toString("base64url")}`,
      "an unknown kid": `${json({ ...real, kid: "f".repeat(24) })}.${payload}.${signature}`,
      "no kid": `${json({ alg: "ES256", typ: "at+jwt" })}.${payload}.${signature}`,
      "changed claims": `${header}.${json({ ...claims, sub: "f".repeat(24) })}.${signature}`,
      crit: `${json({ ...real, crit: ["exp"] })}.${payload}.${signature}`,
      "an ID token": await signJwt(deps, tenant.id, "JWT", claims, "ES256"),
      "another issuer": await signJwt(deps, tenant.id, "at+jwt", { ...claims, iss: "https://evil" }, "ES256"),
      "claims missing": await signJwt(
        deps,
        tenant.id,
        "at+jwt",
        { iss: claims.iss, aud: claims.aud },
        "ES256",
      ),
      "half of it": token.slice(0, token.length / 2),
      "another spelling": `${token.slice(0, -1)}${token.endsWith("A") ? "B" : "A"}`,
      nothing: "",
      "two dots": "..",
      "not JSON": `${Buffer.from("{").toString("base64url")}.${payload}.${signature}`,
      "an array": `${json([])}.${payload}.${signature}`,
      "too long": `${header}.${"a".repeat(20_000)}.${signature}`,
    };
    for (const [name, attempt] of Object.entries(attempts)) {
      expect(await verdict(world, attempt), name).toBe("token.invalid");
    }
    const elsewhere = await signJwt(
      deps,
      tenant.id,
      "at+jwt",
      { ...claims, aud: "https://elsewhere" },
      "ES256",
    );
    expect(await verdict(world, elsewhere)).toBe("token.wrong_audience");
  });
});
