import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { updateSettings } from "../domain/tenants/index.ts";
import { aServer, type TestServer } from "../testing/a-server.ts";
import { contextOf } from "../testing/test-deps.ts";

const PASSWORD = "correct horse battery staple";
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP4z8AARAwQCgAf7gP9i18U1AAAAABJRU5ErkJggg==",
  "base64",
);
const GIF = Buffer.from("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7", "base64");
/** A PNG's header that says 9000 × 1. */
const WIDE = Buffer.concat([PNG.subarray(0, 16), Buffer.from("0000232800000001", "hex"), PNG.subarray(24)]);

let server: TestServer;
beforeAll(async () => {
  server = await aServer();
});
afterAll(() => server[Symbol.asyncDispose]());

interface Sent {
  type?: string;
  payload?: Buffer | string | object;
  headers?: Record<string, string>;
}
const call = (method: "GET" | "PUT" | "POST" | "DELETE" | "PATCH", path: string, sent: Sent = {}) =>
  server.app.inject({
    method,
    url: path.startsWith("/avatars") ? path : `/api/v1${path}`,
    headers: {
      authorization: server.operator,
      ...(sent.type === undefined ? {} : { "content-type": sent.type }),
      ...sent.headers,
    },
    ...(sent.payload === undefined ? {} : { payload: sent.payload }),
  });
const put = (path: string, payload: Buffer, more: Sent = {}) =>
  call("PUT", path, { type: "image/png", payload, ...more });
const codeOf = async (answer: ReturnType<typeof call>) => {
  const { statusCode, body } = await answer;
  return [statusCode, ...(body === "" ? [] : [(JSON.parse(body) as { code: string }).code])];
};

let count = 0;
async function aUser(): Promise<{ id: string; username: string }> {
  const payload = { username: `pictured${++count}`, password: { plain: PASSWORD } };
  return (await call("POST", "/users", { payload })).json();
}
/** Credentials of an API key that has these permissions and no others. */
async function aKey(...permissions: string[]) {
  const made = await call("POST", "/api-keys", {
    payload: { name: `k${++count}`, type: "global", permissions },
  });
  return { headers: { authorization: `Bearer ${made.json<{ key: string }>().key}` } };
}
async function signedIn(username: string, scope: string[]) {
  const made = await call("POST", "/applications", {
    payload: {
      slug: `app${++count}`,
      name: "App",
      grantTypes: ["authorization_code"],
      redirectUris: ["https://app.example.com/callback"],
      scopes: scope,
    },
  });
  const { id, secret } = made.json<{ id: string; secret: string }>();
  const answer = await call("POST", "/sign-in", {
    payload: { applicationId: id, applicationSecret: secret, identifier: username, password: PASSWORD },
  });
  expect(answer.statusCode, answer.body).toBe(201);
  return { headers: { authorization: `Bearer ${answer.json<{ accessToken: string }>().accessToken}` } };
}

describe("a user's picture", () => {
  it("is put, read, shown to everybody who knows its address, and taken away", async () => {
    const { id } = await aUser();
    expect(await codeOf(call("GET", `/users/${id}/avatar`))).toEqual([404, "avatar.not_found"]);
    const made = await put(`/users/${id}/avatar`, PNG);
    const { picture, ...rest } = made.json<{ picture: string }>();
    expect([made.statusCode, rest]).toEqual([200, { mediaType: "image/png", size: PNG.length }]);
    expect((await call("GET", `/users/${id}`)).json().profile.picture).toBe(picture);
    const read = await call("GET", `/users/${id}/avatar`);
    expect(read.rawPayload.equals(PNG)).toBe(true);
    const shown = await server.app.inject(new URL(picture).pathname);
    expect(shown.rawPayload.equals(PNG)).toBe(true);
    for (const { headers } of [read, shown]) {
      expect(headers).toMatchObject({
        "content-type": "image/png",
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; sandbox",
        "content-disposition": 'inline; filename="picture.png"',
      });
    }
    expect(shown.headers["cross-origin-resource-policy"]).toBe("cross-origin");
    expect((await call("DELETE", `/users/${id}/avatar`)).statusCode).toBe(204);
    expect((await server.app.inject(new URL(picture).pathname)).statusCode).toBe(404);
    expect((await call("GET", `/users/${id}`)).json().profile.picture).toBeUndefined();
    expect((await call("DELETE", `/users/${id}/avatar`)).statusCode).toBe(204);
  });

  it("has the type that its bytes have, whatever is said of it, and is an event", async () => {
    const { id } = await aUser();
    const made = await put(`/users/${id}/avatar`, GIF);
    expect(made.json()).toMatchObject({ mediaType: "image/gif" });
    const again = await put(`/users/${id}/avatar`, GIF);
    expect(again.json().picture).toBe(made.json().picture);
    const events = async () => {
      const { items } = (await call("GET", `/audit?targetId=${id}&type=user.updated`)).json<{
        items: { data: object }[];
      }>();
      return items.map(({ data }) => data);
    };
    await expect.poll(events, { timeout: 10_000 }).toEqual([{ fields: ["avatar"] }]);
  });

  it("is put once with an Idempotency-Key", async () => {
    const { id } = await aUser();
    const headers = { "idempotency-key": "picture-1" };
    const first = await put(`/users/${id}/avatar`, PNG, { headers });
    await call("DELETE", `/users/${id}/avatar`);
    const second = await put(`/users/${id}/avatar`, PNG, { headers });
    expect(second.headers["idempotent-replayed"]).toBe("true");
    expect(second.json()).toEqual(first.json());
    expect(await codeOf(put(`/users/${id}/avatar`, GIF, { headers }))).toEqual([
      422,
      "idempotency.key_reused",
    ]);
  });

  it("is refused when it is none, or too large", async () => {
    const { id } = await aUser();
    const path = `/users/${id}/avatar`;
    const refused: [Promise<unknown[]>, unknown[]][] = [
      [codeOf(put(path, Buffer.from("<svg onload=alert(1)>"))), [400, "avatar.invalid"]],
      [codeOf(put(path, Buffer.from("<html><script>alert(1)</script>"))), [400, "avatar.invalid"]],
      [codeOf(put(path, PNG.subarray(0, 40))), [400, "avatar.invalid"]],
      [codeOf(put(path, Buffer.alloc(0))), [400, "avatar.invalid"]],
      [codeOf(call("PUT", path)), [400, "avatar.invalid"]],
      [codeOf(put(path, WIDE)), [413, "avatar.too_large"]],
      [
        codeOf(put(path, Buffer.concat([PNG, Buffer.alloc(600_000), PNG.subarray(-12)]))),
        [413, "avatar.too_large"],
      ],
      [codeOf(put(path, Buffer.alloc(1_048_577))), [413, "request.too_large"]],
      [codeOf(put(path, PNG, { type: "image/svg+xml" })), [415, "request.unsupported_media_type"]],
      [codeOf(put(path, PNG, { type: "text/html" })), [415, "request.unsupported_media_type"]],
      [codeOf(call("PUT", path, { payload: { picture: "x" } })), [415, "request.unsupported_media_type"]],
      [codeOf(put("/users/5f0b00000000000000000001/avatar", PNG)), [404, "user.not_found"]],
      [codeOf(put("/users/nobody/avatar", PNG)), [400, "request.invalid"]],
      [codeOf(call("GET", "/avatars/nothing")), [404, "avatar.not_found"]],
    ];
    for (const [given, expected] of refused) expect(await given).toEqual(expected);
    expect(await codeOf(call("GET", path))).toEqual([404, "avatar.not_found"]);
  });

  it("is bounded by the tenant's settings", async () => {
    const { id } = await aUser();
    await updateSettings(server.deps, contextOf(server.tenantId), { zibanu: { avatarBytes: 1_024 } });
    const large = Buffer.concat([PNG.subarray(0, -12), Buffer.alloc(1_024), PNG.subarray(-12)]);
    await expect.poll(() => codeOf(put(`/users/${id}/avatar`, large))).toEqual([413, "avatar.too_large"]);
    await updateSettings(server.deps, contextOf(server.tenantId), { zibanu: { avatarBytes: 524_288 } });
  });

  it("needs the permission of its verb", async () => {
    const { id } = await aUser();
    const [reader, writer] = [await aKey("user:read"), await aKey("user:write")];
    const path = `/users/${id}/avatar`;
    expect(await codeOf(put(path, PNG, reader))).toEqual([403, "permission.denied"]);
    expect(await codeOf(call("DELETE", path, reader))).toEqual([403, "permission.denied"]);
    expect((await put(path, PNG, writer)).statusCode).toBe(200);
    expect(await codeOf(call("GET", path, writer))).toEqual([403, "permission.denied"]);
    expect((await call("GET", path, reader)).statusCode).toBe(200);
    expect((await server.app.inject({ method: "PUT", url: `/api/v1${path}` })).statusCode).toBe(401);
  });
});

describe("one's own picture", () => {
  it("is put, read and taken away with the scope `account`, and is the claim `picture`", async () => {
    const { username } = await aUser();
    const me = await signedIn(username, ["openid", "profile", "account"]);
    expect(await codeOf(call("GET", "/me/avatar", me))).toEqual([404, "avatar.not_found"]);
    const { picture } = (await put("/me/avatar", PNG, me)).json<{ picture: string }>();
    expect((await call("GET", "/me/avatar", me)).rawPayload.equals(PNG)).toBe(true);
    const info = async (headers: Record<string, string>) =>
      (await server.app.inject({ url: "/oauth/userinfo", headers })).json<{ picture?: string }>().picture;
    await expect.poll(() => info(me.headers)).toBe(picture);
    const without = await signedIn(username, ["openid", "account"]);
    expect(await info(without.headers)).toBeUndefined();
    expect((await call("DELETE", "/me/avatar", me)).statusCode).toBe(204);
    await expect.poll(() => info(me.headers)).toBeUndefined();
  });

  it("is nobody's without that scope, and no API key has one", async () => {
    const { id, username } = await aUser();
    const plain = await signedIn(username, ["openid"]);
    for (const caller of [plain, await aKey("*")]) {
      expect(await codeOf(put("/me/avatar", PNG, caller))).toEqual([403, "permission.denied"]);
      expect(await codeOf(call("GET", "/me/avatar", caller))).toEqual([403, "permission.denied"]);
      expect(await codeOf(call("DELETE", "/me/avatar", caller))).toEqual([403, "permission.denied"]);
    }
    const mine = await signedIn(username, ["openid", "account"]);
    expect(await codeOf(put(`/users/${id}/avatar`, PNG, mine))).toEqual([403, "permission.denied"]);
  });
});
