import { createHash } from "node:crypto";
import { generateSync } from "otplib";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createApplication } from "../domain/applications/index.ts";
import { updateSettings } from "../domain/tenants/index.ts";
import { createUser } from "../domain/users/index.ts";
import { numericDate } from "../kernel/clock.ts";
import { newSecret } from "../kernel/identifiers.ts";
import { aServer, type TestServer } from "../testing/a-server.ts";
import { contextOf } from "../testing/test-deps.ts";

const PASSWORD = "correct horse battery staple";
const ORIGIN = "https://shop.example";
const verifier = "v".repeat(43);
const codeChallenge = createHash("sha256").update(verifier).digest("base64url");

let server: TestServer;
let applicationId: string;

beforeAll(async () => {
  server = await aServer();
  const { application } = await createApplication(server.deps, contextOf(server.tenantId), {
    slug: "shop",
    name: "Shop",
    redirectUris: [`${ORIGIN}/callback`],
    grantTypes: ["authorization_code", "refresh_token"],
    tokenEndpointAuthMethod: "none",
    consent: "implicit",
    settings: { headlessSignIn: true },
  });
  applicationId = application.id;
});
afterAll(() => server[Symbol.asyncDispose]());

let people = 0;
async function aPerson(): Promise<string> {
  const username = `person${++people}`;
  const password = { plain: PASSWORD };
  await createUser(server.deps, contextOf(server.tenantId), { username, password });
  return username;
}

async function secondFactor(policy: "enrolled" | "new_device"): Promise<void> {
  await updateSettings(server.deps, contextOf(server.tenantId), { signIn: { secondFactor: policy } });
}

interface Started {
  id: string;
  secret: string;
}

function send(path: string, body: unknown = {}, headers: Record<string, string> = {}) {
  return server.app.inject({
    method: "POST",
    url: `/api/v1/sign-in/flows${path}`,
    headers: { "content-type": "application/json", ...headers },
    payload: JSON.stringify(body),
  });
}

async function begin(more: object = {}, headers: Record<string, string> = {}): Promise<Started> {
  const answer = await send("", { applicationId, scopes: ["openid"], codeChallenge, ...more }, headers);
  expect(answer.statusCode).toBe(201);
  return { id: answer.json().flow.id, secret: answer.json().secret };
}

const take = ({ id, secret }: Started, step: string, body: object, headers: Record<string, string> = {}) =>
  send(`/${id}/steps/${step}`, body, { "ostiary-flow": secret, ...headers });
const prepare = ({ id, secret }: Started, what: string) =>
  send(`/${id}/${what}`, undefined, { "ostiary-flow": secret });

async function redeem(code: string, codeVerifier = verifier) {
  return server.app.inject({
    method: "POST",
    url: "/oauth/token",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    payload: new URLSearchParams({
      grant_type: "authorization_code",
      code,
      code_verifier: codeVerifier,
      client_id: applicationId,
    }).toString(),
  });
}

it("leads from an own form to tokens", async () => {
  const identifier = await aPerson();
  const flow = await begin({ scopes: ["openid", "offline_access"] });
  const asked = await take(flow, "give-identifier", { identifier });
  expect(asked.json()).toMatchObject({ flow: { state: "password", identifier }, device: null });
  const done = await take(flow, "give-password", { password: PASSWORD });
  expect(done.json().flow).toMatchObject({ state: "authenticated", steps: [] });
  const finished = await prepare(flow, "finish");
  expect(finished.statusCode).toBe(200);
  const tokens = await redeem(finished.json().code);
  expect(tokens.statusCode).toBe(200);
  expect(Object.keys(tokens.json())).toEqual(
    expect.arrayContaining(["access_token", "refresh_token", "id_token"]),
  );
});

it("finishes once, and the code is good with its verifier only", async () => {
  const identifier = await aPerson();
  const flow = await begin();
  await take(flow, "give-password", { identifier, password: PASSWORD });
  const answers = await Promise.all(Array.from({ length: 4 }, () => prepare(flow, "finish")));
  const codes = answers.filter(({ statusCode }) => statusCode === 200).map((answer) => answer.json().code);
  expect(codes).toHaveLength(1);
  expect((await redeem(codes[0], "w".repeat(43))).json().error).toBe("invalid_grant");
});

it("gives nothing before it is finished, and nothing without the secret", async () => {
  const identifier = await aPerson();
  const flow = await begin();
  await take(flow, "give-identifier", { identifier });
  expect((await prepare(flow, "finish")).json().code).toBe("flow.not_found");
  for (const secret of ["", newSecret()]) {
    const answer = await take({ ...flow, secret }, "give-password", { password: PASSWORD });
    expect(answer.json().code).toMatch(/^(?:flow\.not_found|request\.invalid)$/);
  }
  expect((await take(flow, "give-password", { password: "wrong" })).json().code).toBe("credential.rejected");
  expect((await take(flow, "give-totp", { code: "123456" })).json().code).toBe("flow.wrong_step");
});

it("asks for what the policy asks, and knows the device afterwards", async () => {
  const identifier = await aPerson();
  await secondFactor("new_device");
  const flow = await begin();
  const first = await take(flow, "give-password", { identifier, password: PASSWORD });
  expect(first.json().flow).toMatchObject({ state: "enrol-factor", enrollable: ["totp", "passkey"] });
  expect((await prepare(flow, "finish")).json().code).toBe("flow.not_found");
  const { id, secret } = (await prepare(flow, "totp")).json();
  const code = () => generateSync({ secret, epoch: numericDate(server.deps.clock.now()) });
  const enrolled = await take(flow, "enrol-totp", { id, code: code(), remember: true });
  expect(enrolled.json()).toMatchObject({ flow: { state: "authenticated" }, device: expect.any(String) });
  const device = { "ostiary-device": enrolled.json().device };
  const again = await begin();
  const known = await take(again, "give-password", { identifier, password: PASSWORD }, device);
  expect(known.json().flow.state).toBe("authenticated");
  const elsewhere = await begin();
  const unknown = await take(elsewhere, "give-password", { identifier, password: PASSWORD });
  expect(unknown.json().flow).toMatchObject({ state: "second-factor", secondFactors: ["totp"] });
  await secondFactor("enrolled");
});

it("proves as much as the application asks for", async () => {
  const identifier = await aPerson();
  const flow = await begin({ acr: "urn:ostiary:acr:2" });
  const first = await take(flow, "give-password", { identifier, password: PASSWORD });
  expect(first.json().flow.state).toBe("enrol-factor");
});

it("is for the organisation's own applications that may, and for the scopes they have", async () => {
  const { deps, tenantId } = server;
  const make = async (slug: string, more: object) =>
    (
      await createApplication(deps, contextOf(tenantId), {
        slug,
        name: slug,
        redirectUris: [`${ORIGIN}/x`],
        tokenEndpointAuthMethod: "none",
        ...more,
      })
    ).application.id;
  const asks = await make("asks", { consent: "ask", settings: { headlessSignIn: true } });
  const hosted = await make("hosted", { consent: "implicit" });
  const start = async (more: object) =>
    (await send("", { applicationId, scopes: [], codeChallenge, ...more })).json().code;
  expect(await start({ applicationId: asks })).toBe("sign_in.headless_not_allowed");
  expect(await start({ applicationId: hosted })).toBe("sign_in.headless_not_allowed");
  expect(await start({ applicationId: "0".repeat(24) })).toBe("application.not_found");
  expect(await start({ scopes: ["manage"] })).toBe("scope.not_granted");
  expect(await start({ scopes: ["nonsense"] })).toBe("request.invalid");
  expect(await start({ codeChallenge: "short" })).toBe("request.invalid");
});

it("answers pages of the application's own origins and refuses others", async () => {
  const preflight = await server.app.inject({
    method: "OPTIONS",
    url: "/api/v1/sign-in/flows/0/steps/give-password",
    headers: { origin: ORIGIN, "access-control-request-method": "POST" },
  });
  expect(preflight.statusCode).toBe(204);
  expect(preflight.headers["access-control-allow-origin"]).toBe(ORIGIN);
  expect(preflight.headers["access-control-allow-credentials"]).toBeUndefined();
  const identifier = await aPerson();
  const flow = await begin({}, { origin: ORIGIN });
  const body = { identifier, password: PASSWORD };
  const foreign = await take(flow, "give-password", body, { origin: "https://evil.example" });
  expect(foreign.json().code).toBe("application.origin_not_allowed");
  const own = await take(flow, "give-password", body, { origin: ORIGIN });
  expect(own.json().flow.state).toBe("authenticated");
  const start = { applicationId, scopes: [], codeChallenge };
  expect((await send("", start, { origin: "null" })).json().code).toBe("application.origin_not_allowed");
});

it("does not take a flow that a protocol has begun for a browser", async () => {
  const page = await server.app.inject({ method: "GET", url: "/sign-in" });
  const id = new URL(String(page.headers.location), server.url).searchParams.get("flow") ?? "";
  const secret = page.cookies.find(({ name }) => name.includes("flow"))?.value ?? "";
  expect(secret).not.toBe("");
  const body = { identifier: await aPerson(), password: PASSWORD };
  expect((await take({ id, secret }, "give-password", body)).json().code).toBe("flow.not_found");
});

it("looks the same for somebody who is not there", async () => {
  const flow = await begin();
  const asked = await take(flow, "start-recovery", { identifier: "nobody@example.com" });
  expect(asked.json().flow).toMatchObject({ state: "recovery", sent: { channel: "email", to: null } });
  const code = await take(flow, "give-code", { code: "123456" });
  expect(code.json().code).toBe("code.rejected");
});
