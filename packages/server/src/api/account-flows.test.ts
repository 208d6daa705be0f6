import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createApplication } from "../domain/applications/index.ts";
import { createUser } from "../domain/users/index.ts";
import { Visitor } from "../pages/testing/visitor.ts";
import { aServer, type TestServer } from "../testing/a-server.ts";
import { callApi, signInForTest } from "../testing/api-client.ts";
import { contextOf } from "../testing/test-deps.ts";

const PASSWORD = "correct horse battery staple";
const verifier = "v".repeat(43);

let server: TestServer;
beforeAll(async () => {
  server = await aServer();
});
afterAll(() => server[Symbol.asyncDispose]());

let people = 0;
async function aPerson(more: { roles?: string[] } = {}) {
  const username = `person${++people}`;
  const { id } = await createUser(server.deps, contextOf(server.tenantId), {
    username,
    email: `${username}@example.com`,
    emailVerified: true,
    password: { plain: PASSWORD },
    ...more,
  });
  const signedIn = await signInForTest(server, id, ["openid", "account", "manage"]);
  return { id, username, ...signedIn };
}
type Person = Awaited<ReturnType<typeof aPerson>>;

const call = (
  who: Pick<Person, "authorization">,
  method: "GET" | "POST" | "PUT" | "DELETE",
  path: string,
  body?: object,
) => callApi(server, method, path, { authorization: who.authorization, ...(body ? { body } : {}) });

describe("a change of one's own address", () => {
  it("is begun, waits for a code, and can be given up", async () => {
    const ann = await aPerson();
    const begun = await call(ann, "POST", "/me/identifier-changes", { kind: "phone", value: "13800001111" });
    expect(begun.statusCode).toBe(201);
    const change = begun.json();
    expect(change).toMatchObject({ state: "confirm-new", sent: { channel: "sms", to: "***11" } });
    const path = `/me/identifier-changes/${change.id}`;
    expect((await call(ann, "POST", `${path}/steps/give-code`, { code: "000000" })).statusCode).toBe(401);
    expect((await call(ann, "POST", `${path}/steps/send-code`, {})).json().code).toBe("code.too_soon");
    expect((await call(ann, "GET", "/me/identifier-changes")).json().items).toHaveLength(1);
    expect((await call(await aPerson(), "GET", path)).json().code).toBe("identifier_change.not_found");
    expect((await call(ann, "DELETE", path)).statusCode).toBe(204);
    expect((await call(ann, "GET", path)).statusCode).toBe(404);
  });

  it("refuses what is no address, and a sign-in of long ago", async () => {
    const ann = await aPerson();
    for (const body of [
      { kind: "email", value: "x\r\nbcc: y@example.com" },
      { kind: "phone", value: "ann@example.com" },
      { kind: "username", value: "bob" },
      { kind: "email" },
    ]) {
      expect((await call(ann, "POST", "/me/identifier-changes", body)).json().code).toBe("request.invalid");
    }
    server.clock.advance(601);
    const late = await call(ann, "POST", "/me/identifier-changes", { kind: "email", value: null });
    expect(late.json().code).toBe("authentication.stale");
  });
});

describe("one's own username", () => {
  it("is changed where the settings allow it, with a recent sign-in", async () => {
    const [ann, bob] = [await aPerson(), await aPerson()];
    const put = (who: Person, username: unknown) => call(who, "PUT", "/me/username", { username });
    expect((await put(ann, "annie")).json().code).toBe("user.username_fixed");
    const allow = (changeUsername: boolean) =>
      callApi(server, "PATCH", "/settings", { body: { signIn: { changeUsername } } });
    expect((await allow(true)).statusCode).toBe(200);
    await expect.poll(async () => (await put(ann, "annie")).json().username).toBe("annie");
    const same = await put(ann, "annie");
    expect([same.statusCode, same.headers.etag]).toEqual([200, `"${same.json().version}"`]);
    expect((await put(ann, bob.username)).json().code).toBe("user.username_taken");
    for (const username of ["", "a b", "<b>", "x".repeat(129), null, 7, undefined]) {
      expect((await put(ann, username)).json().code).toBe("request.invalid");
    }
    server.clock.advance(601);
    expect((await put(ann, "late")).json().code).toBe("authentication.stale");
    await allow(false);
  });
});

describe("linked identities", () => {
  it("are listed, linked by proof of both accounts, and unlinked", async () => {
    const [work, home] = [await aPerson(), await aPerson()];
    const identity = { provider: "feishu", kind: "open_id", subject: "ou_1" };
    const linked = await callApi(server, "POST", `/users/${work.id}/identities`, { body: identity });
    expect(linked.statusCode).toBe(201);
    const proof = await call(work, "POST", "/me/link-proof");
    expect(proof.statusCode).toBe(201);
    const moved = await call(home, "POST", "/me/identities/link", { token: proof.json().token });
    expect(moved.json().items).toMatchObject([identity]);
    expect((await call(work, "GET", "/me/identities")).json().items).toEqual([]);
    const [{ id }] = (await call(home, "GET", "/me/identities")).json().items;
    expect((await call(home, "DELETE", `/me/identities/${id}`)).statusCode).toBe(204);
    const gone = await callApi(server, "DELETE", `/users/${home.id}/identities/${id}`);
    expect(gone.json().code).toBe("identity.not_found");
  });
});

describe("an administrator", () => {
  it("ends the lock-out of a user", async () => {
    const { id, username } = await aPerson();
    const { deps, tenantId } = server;
    const { application, secret } = await createApplication(deps, contextOf(tenantId), {
      slug: "form",
      name: "Form",
    });
    const signIn = (password: string) =>
      server.app.inject({
        method: "POST",
        url: "/api/v1/sign-in",
        payload: {
          applicationId: application.id,
          applicationSecret: secret,
          identifier: username,
          password,
        },
      });
    for (let i = 0; i < 10; i++) await signIn("wrong horse");
    expect((await signIn(PASSWORD)).json().code).toBe("credential.locked");
    expect((await callApi(server, "POST", `/users/${id}/unlock`)).statusCode).toBe(204);
    expect((await signIn(PASSWORD)).statusCode).toBe(201);
  });

  it("acts as a user, and every token says so", async () => {
    const [ann, boss] = [await aPerson(), await aPerson({ roles: ["administrator"] })];
    const allowed = await call(boss, "POST", `/users/${ann.id}/impersonation`, { reason: "Ticket 4711" });
    expect(allowed.statusCode).toBe(201);
    const browser = new Visitor(server.app);
    browser.cookies.set("ostiary_session", boss.cookie);
    const page = await browser.open(allowed.json().url);
    await browser.follow(browser.submit(page, {}));
    const token = await tokenFor(browser);
    const [, payload = ""] = token.split(".");
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
    expect(claims).toMatchObject({ sub: ann.id, act: { sub: boss.id } });
    const as = { authorization: `Bearer ${token}` };
    expect((await call(as, "GET", "/me")).json().id).toBe(ann.id);
    const body = { current: PASSWORD, next: "another horse battery" };
    expect((await call(as, "POST", "/me/password", body)).json().code).toBe("impersonation.not_allowed");
    const change = { kind: "email", value: "boss@example.com" };
    const begun = await call(as, "POST", "/me/identifier-changes", change);
    expect(begun.json().code).toBe("impersonation.not_allowed");
    const renamed = await call(as, "PUT", "/me/username", { username: "boss" });
    expect(renamed.json().code).toBe("impersonation.not_allowed");
    for (const path of ["/me/recovery-codes", "/me/factors/totp", "/me/link-proof"]) {
      expect((await call(as, "POST", path, {})).json().code).toBe("impersonation.not_allowed");
    }
  });
});

/** An access token of an application, for whoever is signed in. */
async function tokenFor(browser: Visitor): Promise<string> {
  const { deps, tenantId } = server;
  const redirectUri = "https://desk.example/callback";
  const { application } = await createApplication(deps, contextOf(tenantId), {
    slug: "desk",
    name: "Desk",
    redirectUris: [redirectUri],
    tokenEndpointAuthMethod: "none",
    consent: "implicit",
    scopes: ["openid", "account"],
  });
  const query = new URLSearchParams({
    client_id: application.id,
    redirect_uri: redirectUri,
    response_type: "code",
    scope: "openid account",
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  const { location } = await browser.open(`/oauth/authorize?${query}`);
  const answer = await server.app.inject({
    method: "POST",
    url: "/oauth/token",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    payload: new URLSearchParams({
      grant_type: "authorization_code",
      code: new URL(location).searchParams.get("code") ?? "",
      redirect_uri: redirectUri,
      client_id: application.id,
      code_verifier: verifier,
    }).toString(),
  });
  return answer.json().access_token;
}
