import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { rememberGrant } from "../domain/grants/index.ts";
import { aServer, type TestServer } from "../testing/a-server.ts";
import { callApi, signInForTest } from "../testing/api-client.ts";
import { contextOf } from "../testing/test-deps.ts";

let server: TestServer;
let number = 0;
let ann: string;
beforeAll(async () => {
  server = await aServer();
});
beforeEach(async () => {
  ann = (await callApi(server, "POST", "/users", { body: { username: `ann${++number}` } })).json().id;
});
afterAll(() => server[Symbol.asyncDispose]());

const status = async (answer: ReturnType<typeof callApi>) => (await answer).statusCode;

describe("one's own sessions", () => {
  it("are listed, this one marked, and revoked one by one", async () => {
    const first = await signInForTest(server, ann, ["account"]);
    const second = await signInForTest(server, ann, ["account"]);
    const { authorization } = second;
    const list = await callApi(server, "GET", "/me/sessions", { authorization });
    expect(list.json().items).toMatchObject([
      { id: second.sessionId, current: true },
      { id: first.sessionId, current: false },
    ]);
    expect(
      await status(callApi(server, "DELETE", `/me/sessions/${first.sessionId}`, { authorization })),
    ).toBe(204);
    // The token of the revoked session is refused, this one's is not.
    expect(await status(callApi(server, "GET", "/me", { authorization: first.authorization }))).toBe(401);
    expect(await status(callApi(server, "GET", "/me", { authorization }))).toBe(200);
  });

  it("are revoked together, with or without this one", async () => {
    const first = await signInForTest(server, ann, ["account"]);
    await signInForTest(server, ann, ["account"]);
    const { authorization } = first;
    const others = { authorization, body: { keepCurrent: true } };
    expect((await callApi(server, "POST", "/me/sessions/revoke", others)).json()).toEqual({ revoked: 1 });
    expect(
      (await callApi(server, "POST", "/me/sessions/revoke", { authorization, body: {} })).json(),
    ).toEqual({
      revoked: 1,
    });
    expect(await status(callApi(server, "GET", "/me", { authorization }))).toBe(401);
  });

  it("are closed to a token without the scope, and to other people", async () => {
    const bob = (await callApi(server, "POST", "/users", { body: { username: `bob${number}` } })).json().id;
    const ours = await signInForTest(server, ann, ["account"]);
    const narrow = await signInForTest(server, ann, ["openid"]);
    const theirs = await signInForTest(server, bob, ["account"]);
    for (const [method, path] of [
      ["GET", "/me/sessions"],
      ["DELETE", `/me/sessions/${ours.sessionId}`],
      ["DELETE", `/sessions/${ours.sessionId}`],
      ["GET", `/sessions/${ours.sessionId}`],
      ["GET", "/me/grants"],
      ["GET", "/sessions"],
    ] as const) {
      expect(await status(callApi(server, method, path, { authorization: narrow.authorization })), path).toBe(
        403,
      );
    }
    const { authorization } = theirs;
    expect(await status(callApi(server, "DELETE", `/me/sessions/${ours.sessionId}`, { authorization }))).toBe(
      404,
    );
    expect(await status(callApi(server, "DELETE", `/sessions/${ours.sessionId}`, { authorization }))).toBe(
      403,
    );
    expect(await status(callApi(server, "GET", "/me/sessions"))).toBe(403); // the operator is no user
  });
});

describe("an administrator", () => {
  it("lists sessions and revokes one or all of a user", async () => {
    const one = await signInForTest(server, ann, ["openid"]);
    await signInForTest(server, ann, ["openid"]);
    expect((await callApi(server, "GET", `/sessions?userId=${ann}`)).json().items).toHaveLength(2);
    expect((await callApi(server, "GET", `/sessions/${one.sessionId}`)).json()).toMatchObject({
      userId: ann,
    });
    expect(await status(callApi(server, "DELETE", `/sessions/${one.sessionId}`))).toBe(204);
    expect(await status(callApi(server, "DELETE", `/sessions/${one.sessionId}`))).toBe(404);
    const rest = await callApi(server, "POST", `/users/${ann}/sessions/revoke`);
    expect([rest.statusCode, rest.json()]).toEqual([200, { revoked: 1 }]);
    expect((await callApi(server, "GET", `/sessions?userId=${ann}`)).json().items).toEqual([]);
    expect(await status(callApi(server, "POST", `/users/${"0".repeat(24)}/sessions/revoke`))).toBe(404);
  });
});

describe("grants", () => {
  it("are listed and taken back by the person and by an administrator", async () => {
    const { authorization, applicationId } = await signInForTest(server, ann, ["account"]);
    const remember = () =>
      rememberGrant(server.deps, contextOf(server.tenantId), ann, applicationId, ["openid"]);
    await remember();
    const own = await callApi(server, "GET", "/me/grants", { authorization });
    expect(own.json().items).toMatchObject([{ applicationId, applicationName: "Test", scopes: ["openid"] }]);
    expect((await callApi(server, "GET", `/users/${ann}/grants`)).json()).toEqual(own.json());
    expect(await status(callApi(server, "DELETE", `/me/grants/${applicationId}`, { authorization }))).toBe(
      204,
    );
    expect(await status(callApi(server, "DELETE", `/me/grants/${applicationId}`, { authorization }))).toBe(
      404,
    );
    await remember();
    expect(await status(callApi(server, "DELETE", `/users/${ann}/grants/${applicationId}`))).toBe(204);
    expect(await status(callApi(server, "GET", `/users/${"0".repeat(24)}/grants`))).toBe(404);
  });
});
