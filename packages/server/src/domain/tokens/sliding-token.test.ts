import { createHmac } from "node:crypto";
import type { Tenant } from "@ostiary/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aDatabase, type TestDatabase } from "../../testing/a-database.ts";
import { frozenClock } from "../../testing/frozen-clock.ts";
import { contextOf, testDeps } from "../../testing/test-deps.ts";
import { setPassword } from "../credentials/index.ts";
import type { Deps } from "../deps.ts";
import { createSession, revokeSession } from "../sessions/index.ts";
import { createTenant, ensureDefaultTenant } from "../tenants/index.ts";
import { createUser, deleteUser, suspendUser } from "../users/index.ts";
import { findActiveDialectKey, issueSlidingToken, refreshSlidingToken, verifySlidingToken } from "./index.ts";

const clock = frozenClock();
let test: TestDatabase;
let deps: Deps;
let tenant: Tenant;
let admin: ReturnType<typeof contextOf>;

beforeAll(async () => {
  test = await aDatabase();
  deps = testDeps(test.database, { clock });
  tenant = await ensureDefaultTenant(deps);
  admin = contextOf(tenant.id);
});
afterAll(() => test[Symbol.asyncDispose]());

let count = 0;
async function aToken(absoluteSeconds = 86_400) {
  const user = await createUser(deps, admin, { email: `sliding${++count}@example.com` });
  const policy = { slot: "zibanu:x", idleSeconds: tenant.settings.zibanu.tokenSeconds, absoluteSeconds };
  const { session } = await createSession(deps, admin, { userId: user.id, amr: ["pwd"], policy });
  const token = await issueSlidingToken(deps, tenant, session, { id: user.serial, claim: { a: 1 } });
  return { user, session, token };
}
const verify = async (token: string) => verifySlidingToken(deps, tenant, token);
const refresh = async (token: string) => refreshSlidingToken(deps, admin, await verify(token));
const coded = (code: string) => expect.objectContaining({ code });
const payloadOf = (token: string) =>
  JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as Record<string, unknown>;

describe("a sliding token", () => {
  it("has the claims that front ends of Zibanu read, and names its key", async () => {
    const { token, user } = await aToken();
    const [header = ""] = token.split(".");
    const key = await findActiveDialectKey(deps, tenant.id, "zibanu");
    expect(JSON.parse(Buffer.from(header, "base64url").toString())).toEqual({
      alg: "HS512",
      typ: "JWT",
      kid: key.kid,
    });
    const now = clock.now().getTime() / 1_000;
    expect(payloadOf(token)).toEqual({
      token_type: "sliding",
      exp: now + 3_600,
      iat: now,
      jti: expect.stringMatching(/^[0-9a-f]{32}$/),
      refresh_exp: now + 3_600,
      user_id: user.serial,
      user: { a: 1 },
    });
  });

  it("is verified synchronously when it is known", async () => {
    const { token, user } = await aToken();
    await verify(token);
    const verified = verifySlidingToken(deps, tenant, token);
    expect(verified).not.toBeInstanceOf(Promise);
    expect(verified).toMatchObject({ principal: { userId: user.id } });
  });

  it("is revoked with its session, its user, or his password", async () => {
    const ends: ((made: Awaited<ReturnType<typeof aToken>>) => Promise<unknown>)[] = [
      ({ session }) => revokeSession(deps, admin, session.id, "test"),
      ({ user }) => suspendUser(deps, admin, user.id),
      ({ user }) => deleteUser(deps, admin, user.id),
      ({ user }) => setPassword(deps, admin, user.id, { plain: "correct horse battery" }),
    ];
    for (const end of ends) {
      const made = await aToken();
      await verify(made.token);
      await end(made);
      await expect(verify(made.token)).rejects.toThrow(coded("token.revoked"));
    }
  });

  it("is another tenant's nothing", async () => {
    const { token } = await aToken();
    const other = await createTenant(deps, admin, { slug: "other-sliding", name: "Other" });
    await expect((async () => verifySlidingToken(deps, other, token))()).rejects.toThrow(
      coded("token.invalid"),
    );
  });

  it("says which claim it lacks, and is not good before its time", async () => {
    const { signingKey, kid } = await findActiveDialectKey(deps, tenant.id, "zibanu");
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const sign = (body: object) => {
      const input = `${encode({ alg: "HS512", kid })}.${encode(body)}`;
      return `${input}.${createHmac("sha512", signingKey ?? "")
        .update(input)
        .digest("base64url")}`;
    };
    const without = (claim: string, from: string) =>
      sign(Object.fromEntries(Object.entries(payloadOf(from)).filter(([name]) => name !== claim)));
    const { token } = await aToken();
    for (const claim of ["exp", "token_type", "user_id"]) {
      await expect(verify(without(claim, token))).rejects.toThrow(
        expect.objectContaining({
          code: "token.incomplete",
          fields: [{ path: `/${claim}`, message: "is missing" }],
        }),
      );
    }
    await expect(verify(sign({ ...payloadOf(token), nbf: 99_999_999_999 }))).rejects.toThrow(
      coded("token.invalid"),
    );
    await expect(verify(sign({ ...payloadOf(token), user_id: "abc" }))).rejects.toThrow(
      coded("token.invalid"),
    );
    await expect(verify(without("refresh_exp", token))).resolves.toBeDefined();
    await expect(refresh(without("refresh_exp", token))).rejects.toThrow(coded("token.incomplete"));
    await expect(refresh(sign({ ...payloadOf(token), refresh_exp: 1 }))).rejects.toThrow(
      coded("token.refresh_expired"),
    );
  });

  it("refuses other algorithms, keys, types and garbage", async () => {
    const { token } = await aToken();
    const [header = "", payload = "", signature = ""] = token.split(".");
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const parsed = JSON.parse(Buffer.from(header, "base64url").toString()) as { kid: string };
    const { signingKey } = await findActiveDialectKey(deps, tenant.id, "zibanu");
    if (!signingKey) throw new Error("no key");
    const sign = (head: object, body: object, key: Parameters<typeof createHmac>[1], hash = "sha512") => {
      const input = `${encode(head)}.${encode(body)}`;
      return `${input}.${createHmac(hash, key).update(input).digest("base64url")}`;
    };
    const bad = [
      "garbage",
      `${encode({ alg: "none", kid: parsed.kid })}.${payload}.`,
      `${encode({ alg: "none", kid: parsed.kid })}.${payload}.${signature}`,
      sign({ alg: "HS256", kid: parsed.kid }, payloadOf(token), signingKey, "sha256"),
      sign({ alg: "HS512", kid: parsed.kid }, payloadOf(token), "another secret"),
      sign({ alg: "HS512", kid: "0".repeat(24) }, payloadOf(token), signingKey),
      sign({ alg: "HS512" }, payloadOf(token), signingKey),
      sign({ alg: "HS512", kid: parsed.kid, crit: ["x"] }, payloadOf(token), signingKey),
      sign({ alg: "HS512", kid: parsed.kid }, { ...payloadOf(token), jti: "x" }, signingKey),
      sign({ alg: "HS512", kid: parsed.kid }, { ...payloadOf(token), iat: 99_999_999_999 }, signingKey),
      `${token}A`,
    ];
    for (const one of bad) await expect(verify(one)).rejects.toThrow(coded("token.invalid"));
    const access = sign(
      { alg: "HS512", kid: parsed.kid },
      { ...payloadOf(token), token_type: "access" },
      signingKey,
    );
    await expect(verify(access)).rejects.toThrow(coded("token.wrong_type"));
  });

  it("is refreshed once: the next one is good and the old one is not", async () => {
    const { token, user } = await aToken();
    clock.advance(60);
    const session = await refresh(token);
    const next = await issueSlidingToken(deps, tenant, session, { id: user.serial, claim: {} });
    expect(await verify(next)).toMatchObject({ claims: { generation: 2 } });
    await expect(verify(token)).rejects.toThrow(coded("token.revoked"));
    await expect(refresh(token)).rejects.toThrow(coded("token.revoked"));
    expect(payloadOf(next)["exp"]).toBe(clock.now().getTime() / 1_000 + 3_600);
  });

  it("has one winner of many refreshes at once", async () => {
    const { token } = await aToken();
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => refresh(token)));
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  it("expires, and no refresh prolongs a session for ever", async () => {
    const { token, user } = await aToken(5_000);
    clock.advance(3_000);
    const session = await refresh(token);
    const next = await issueSlidingToken(deps, tenant, session, { id: user.serial, claim: {} });
    expect(payloadOf(next)["exp"]).toBe(clock.now().getTime() / 1_000 + 2_000);
    clock.advance(2_001);
    await expect(verify(next)).rejects.toThrow(coded("token.expired"));
    await expect(refresh(next)).rejects.toThrow(coded("token.expired"));
  });
});
