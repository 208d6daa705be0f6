import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aServer, type TestServer } from "../../../packages/server/src/testing/a-server.ts";
import { INSTALL_TIMEOUT, PYTHON_MISSING } from "../../python/environment.ts";
import { HuaceClient, VERSIONS } from "./client.ts";
import { type SignIn, signIn } from "./sign-in.ts";

const SHOP = { app_id: "5f0c00000000000000000001", app_secret: "shop-secret" };
const STAFF = { app_id: "5f0c00000000000000000002", app_secret: "staff-secret" };
const ZS = "5f0b00000000000000000001";
const INVALID = { valid: false, user_id: null, username: null, expires_at: null };
/** Milliseconds: a change is seen by every process within a second. */
const WITHIN_A_SECOND = { timeout: 1_000, interval: 20 };

let server: TestServer;

beforeAll(async () => {
  if (PYTHON_MISSING) return;
  server = await aServer({ listen: true });
  const installation = readFileSync(join(import.meta.dirname, "installation.yaml"), "utf8");
  await api("POST", "/configuration/apply", installation, "application/yaml");
});
afterAll(() => server?.[Symbol.asyncDispose]());

/** Our own API, as an administrator. */
async function api(
  method: string,
  path: string,
  body?: unknown,
  type = "application/json",
): Promise<unknown> {
  const answer = await fetch(`${server.url}/api/v1${path}`, {
    method,
    headers: { authorization: server.operator, ...(body === undefined ? {} : { "content-type": type }) },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return text === "" ? undefined : JSON.parse(text);
}

/** An access token of the application Shop, from a sign-in of its own. */
function tokenOf(identifier: string, other: Partial<SignIn> = {}): Promise<string> {
  return signIn({
    issuer: server.url,
    clientId: SHOP.app_id,
    clientSecret: SHOP.app_secret,
    redirectUri: "http://127.0.0.1:9001/callback",
    identifier,
    password: "correct horse battery staple",
    ...other,
  });
}

function claimsOf(token: string): { sid: string; exp: number } {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as {
    sid: string;
    exp: number;
  };
}

describe.skipIf(PYTHON_MISSING)("the unmodified package huace-aigc-auth-client", () => {
  describe.each(VERSIONS)("in version %s", (version) => {
    let client: HuaceClient;
    beforeAll(async () => {
      client = await HuaceClient.start(version, { ...SHOP, base_url: `${server.url}/huace` });
    }, INSTALL_TIMEOUT);
    afterAll(() => client?.close());

    const verify = (token: string | null, other = {}) => client.call("verify_token", token, other);
    const info = (token: string | null, other = {}) => client.call("get_user_info", token, other);

    /** What a service sees of a token that is no good. */
    async function expectRefused(token: string, code: number, other = {}): Promise<void> {
      expect(await verify(token, other)).toEqual({ result: INVALID });
      const { error } = await info(token, other);
      expect(error).toMatchObject({ type: "AigcAuthError", code });
      expect(error?.message).toMatch(new RegExp(`^\\[${code}\\] .`));
    }

    it("verifies the token of somebody who signed in on the hosted page", async () => {
      const token = await tokenOf("zs");
      expect(await verify(token)).toEqual({
        result: {
          valid: true,
          user_id: "7",
          username: "zs",
          expires_at: new Date(claimsOf(token).exp * 1000).toISOString(),
        },
      });
    });

    it("reads the user with roles and permissions", async () => {
      const { result } = await info(await tokenOf("zs@example.com"));
      expect(result).toMatchObject({
        id: 7,
        username: "zs",
        nickname: "张三",
        email: "zs@example.com",
        phone: "13800000000",
        avatar: "https://example.com/zs.png",
        company: "Example",
        department: "R&D",
        status: "active",
        roles: ["editor"],
        permissions: ["user:read"],
        is_admin: false,
        can: { "user:read": true, "user:delete": false },
      });
    });

    it("knows an administrator", async () => {
      const { result } = await info(await tokenOf("boss"));
      expect(result).toMatchObject({ username: "boss", is_admin: true, roles: ["administrator"] });
    });

    it.each(["junk", "", "a.b.c", "ak_0123456789abcdef0123456789abcdef", "令牌", "x".repeat(20_000), null])(
      "is told that %j is no token, without an exception from verify_token",
      async (junk) => {
        await expectRefused(junk as string, 401);
      },
    );

    it("may have a slash, or the path of the SDK, at the end of its base address", async () => {
      const token = await tokenOf("zs");
      for (const base of [`${server.url}/huace/`, `${server.url}/huace/sdk`, `${server.url}//huace//sdk/`]) {
        expect((await verify(token, { base_url: base })).result).toMatchObject({ valid: true });
        expect((await info(token, { base_url: base })).result).toMatchObject({ id: 7 });
      }
    });

    it("may name the application by its serial", async () => {
      const { result } = await verify(await tokenOf("zs"), { app_id: "1001" });
      expect(result).toMatchObject({ valid: true });
    });

    it.each([
      ["a wrong secret", { app_secret: "wrong" }, 401],
      ["another application's secret", { app_secret: STAFF.app_secret }, 401],
      ["an unknown id", { app_id: "5f0c0000000000000000ffff" }, 401],
      ["an unknown serial", { app_id: "999999999" }, 401],
      ["no id at all", { app_id: "shop" }, 401],
      ["a disabled application", { app_id: "5f0c00000000000000000003", app_secret: "closed-secret" }, 403],
    ])("is refused with a number when it has %s", async (_what, credentials, code) => {
      const token = await tokenOf("zs");
      const refused = { type: "AigcAuthError", code };
      expect((await verify(token, credentials)).error).toMatchObject(refused);
      expect((await info(token, credentials)).error).toMatchObject(refused);
    });

    it("shows a user only to applications that he may use", async () => {
      expect((await info(await tokenOf("zs"), STAFF)).result).toMatchObject({ username: "zs" });
      await expectRefused(await tokenOf("li"), 403, STAFF);
    });

    it("does not take an application's own token for a person's", async () => {
      const answer = await fetch(`${server.url}/oauth/token`, {
        method: "POST",
        headers: { authorization: `Basic ${btoa("5f0c00000000000000000004:job-secret")}` },
        body: new URLSearchParams({ grant_type: "client_credentials" }),
      });
      const { access_token: token } = (await answer.json()) as { access_token: string };
      await expectRefused(token, 401);
    });

    it("refuses a token of another tenant, which is good there", async () => {
      const there = { app_id: "5f0c0000000000000000000a", app_secret: "other-secret" };
      const token = await tokenOf("zs", {
        issuer: `${server.url}/t/other`,
        clientId: there.app_id,
        clientSecret: there.app_secret,
      });
      const base_url = `${server.url}/t/other/huace`;
      expect((await verify(token, { ...there, base_url })).result).toMatchObject({ valid: true });
      await expectRefused(token, 401);
      expect((await verify(token, { base_url })).error).toMatchObject({ code: 401 });
      expect((await verify(token, { base_url: `${server.url}/t/nobody/huace` })).error?.code).toBe(404);
    });

    it("refuses a token that was changed", async () => {
      const [head, body, signature = ""] = (await tokenOf("zs")).split(".");
      const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString("base64url");
      await expectRefused(`${none}.${body}.`, 401);
      await expectRefused(`${head}.${body}.${signature.slice(0, -4)}AAAA`, 401);
    });

    it("refuses a revoked token (RFC 7009)", async () => {
      const token = await tokenOf("zs");
      expect((await verify(token)).result).toMatchObject({ valid: true });
      const answer = await fetch(`${server.url}/oauth/revoke`, {
        method: "POST",
        headers: { authorization: `Basic ${btoa(`${SHOP.app_id}:${SHOP.app_secret}`)}` },
        body: new URLSearchParams({ token }),
      });
      expect(answer.status).toBe(200);
      await expect.poll(async () => (await verify(token)).result?.valid, WITHIN_A_SECOND).toBe(false);
      await expectRefused(token, 401);
    });

    it("refuses the tokens of a session that an administrator ended", async () => {
      const token = await tokenOf("zs");
      expect((await verify(token)).result).toMatchObject({ valid: true });
      await api("DELETE", `/sessions/${claimsOf(token).sid}`);
      await expect.poll(async () => (await verify(token)).result?.valid, WITHIN_A_SECOND).toBe(false);
      await expectRefused(token, 401);
    });

    it("refuses a suspended user until he is active again", async () => {
      const token = await tokenOf("zs");
      await api("PATCH", `/users/${ZS}`, { status: "suspended" });
      await expect.poll(async () => (await info(token)).error?.code, WITHIN_A_SECOND).toBe(403);
      await expectRefused(token, 403);
      await api("PATCH", `/users/${ZS}`, { status: "active" });
      const later = await tokenOf("zs");
      await expect.poll(async () => (await verify(later)).result?.valid, WITHIN_A_SECOND).toBe(true);
    });

    it("is told that a deleted user is gone", async () => {
      const token = await tokenOf(`leaver-${version}`);
      expect((await verify(token)).result).toMatchObject({ valid: true });
      await api("DELETE", `/users/5f0b000000000000000000${version.slice(-2)}`);
      await expect.poll(async () => (await info(token)).error?.code, WITHIN_A_SECOND).toBe(404);
      await expectRefused(token, 404);
    });

    it("refuses a token from the second of its expiry", async () => {
      const token = await tokenOf("zs");
      const left = claimsOf(token).exp - server.clock.now().getTime() / 1000;
      server.clock.advance(left - 5);
      expect((await verify(token)).result).toMatchObject({ valid: true });
      server.clock.advance(5);
      await expectRefused(token, 401);
    });

    if (version === "1.1.62") {
      it("gets the registered code and the trace with a refusal", async () => {
        const { error } = await info("junk");
        expect(error?.data).toEqual({
          code: "token.invalid",
          traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
        });
      });
    }
  });
});
