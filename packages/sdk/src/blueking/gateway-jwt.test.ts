import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { SignJWT } from "jose";
import { beforeAll, describe, expect, it, test } from "vitest";
import { createBkAuth } from "./bk-auth.ts";
import { requireGateway } from "./gateway-guard.ts";
import { dummyGatewayJwt, type GatewayJwtOptions, gatewayJwt } from "./gateway-jwt.ts";
import { aWorld, reply, SECRET, START, TICKET } from "./testing/fake-login.ts";

interface KeyPair {
  publicKey: string;
  privateKey: KeyObject;
}
let ours: KeyPair;
let theirs: KeyPair;

function aKeyPair(): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { publicKey: publicKey.export({ type: "spki", format: "pem" }).toString(), privateKey };
}

beforeAll(() => {
  ours = aKeyPair();
  theirs = aKeyPair();
});

const SECONDS = START / 1000;
const APP = { version: 1, app_code: "caller", verified: true, valid_error_message: "" };
const USER = { version: 1, username: "admin", verified: true, valid_error_message: "", tenant_id: "system" };

/** A token as the real gateway writes it, with whatever a test changes. */
function aToken(
  more: {
    claims?: Record<string, unknown>;
    header?: Record<string, unknown>;
    without?: string;
    key?: KeyPair;
  } = {},
) {
  const claims: Record<string, unknown> = {
    iss: "APIGW",
    nbf: SECONDS - 300,
    exp: SECONDS + 1500,
    app: APP,
    user: USER,
    ...more.claims,
  };
  const header: Record<string, unknown> = {
    alg: "RS512",
    typ: "JWT",
    kid: "gw",
    iat: SECONDS,
    ...more.header,
  };
  if (more.without !== undefined) {
    delete claims[more.without];
    delete header[more.without];
  }
  return new SignJWT(claims)
    .setProtectedHeader(header as { alg: string })
    .sign((more.key ?? ours).privateKey);
}

function aVerifier(more: Partial<GatewayJwtOptions> = {}) {
  const { login, clock, logger } = aWorld();
  const options = {
    gateways: ["gw"],
    publicKeys: [{ gateway: "gw", publicKey: ours.publicKey }],
    clock: () => clock.now,
    transport: login.transport,
    logger,
    ...more,
  };
  return { verifier: gatewayJwt(options), login, clock, logger };
}

describe("a gateway JWT", () => {
  it("tells application and user", async () => {
    const { verifier } = aVerifier();
    expect(await verifier.verify(await aToken())).toEqual({
      outcome: "ok",
      identity: {
        gateway: "gw",
        issuer: "APIGW",
        app: { appCode: "caller", verified: true, tenantMode: null, tenantId: null, error: null },
        user: { username: "admin", verified: true, tenantId: "system", error: null },
        expiresAt: (SECONDS + 1500) * 1000,
      },
    });
    expect(await verifier.verify(undefined)).toEqual({ outcome: "none" });
  });

  it("may use the older spellings, and lacks what it has not verified", async () => {
    const { verifier } = aVerifier();
    const claims = {
      app: { bk_app_code: "old", verified: "false" },
      user: { bk_username: "u", verified: 1 },
    };
    expect(await verifier.verify(await aToken({ claims }))).toMatchObject({
      identity: { app: { appCode: "old", verified: false }, user: { username: "u", verified: false } },
    });
    const empty = await verifier.verify(await aToken({ claims: { app: undefined, user: null } }));
    expect(empty).toMatchObject({
      identity: { app: { verified: false }, user: { verified: false, username: null } },
    });
  });

  test.each<[string, () => Promise<string>]>([
    ["another signer's", () => aToken({ key: theirs })],
    ["expired", () => aToken({ claims: { exp: SECONDS } })],
    ["not valid yet", () => aToken({ claims: { nbf: SECONDS + 1 } })],
    ["without exp", () => aToken({ without: "exp" })],
    ["without nbf", () => aToken({ without: "nbf" })],
    ["without kid", () => aToken({ without: "kid" })],
    ["of another gateway", () => aToken({ header: { kid: "other" } })],
    ["RS256", () => aToken({ header: { alg: "RS256" } })],
    ["PS512", () => aToken({ header: { alg: "PS512" } })],
    ["with an audience", () => aToken({ claims: { aud: "x" } })],
    [
      "with a critical header",
      () =>
        aToken({ header: { crit: ["b64"], b64: true } }).then((t) =>
          t.replace(
            /^[^.]+/,
            Buffer.from('{"alg":"RS512","kid":"gw","crit":["x"],"x":1}').toString("base64url"),
          ),
        ),
    ],
    [
      "without a signature",
      async () =>
        `${Buffer.from('{"alg":"none","kid":"gw"}').toString("base64url")}.${(await aToken()).split(".")[1]}.`,
    ],
    [
      "HS512 with the public key as the secret",
      () =>
        new SignJWT({ exp: SECONDS + 9, nbf: SECONDS })
          .setProtectedHeader({ alg: "HS512", kid: "gw" })
          .sign(Buffer.from(ours.publicKey)),
    ],
    [
      "tampered with",
      async () =>
        (await aToken()).replace(
          /\.[^.]+\./,
          `.${Buffer.from(JSON.stringify({ exp: SECONDS + 9, nbf: 0, user: USER })).toString("base64url")}.`,
        ),
    ],
    ["not a token", async () => "x"],
    ["too long", async () => "x".repeat(20_000)],
  ])("%s is refused", async (_, make) => {
    const { verifier } = aVerifier();
    expect((await verifier.verify(await make())).outcome).toBe("invalid");
  });

  it("of another issuer needs a key that is for every issuer, or for that one", async () => {
    const token = await aToken({ header: { iss: "custom" } });
    const bound = (issuer: string) =>
      aVerifier({ publicKeys: [{ gateway: "gw", issuer, publicKey: ours.publicKey }] });
    expect((await bound("custom").verifier.verify(token)).outcome).toBe("ok");
    expect((await bound("APIGW").verifier.verify(token)).outcome).toBe("unavailable");
    expect((await aVerifier().verifier.verify(token)).outcome).toBe("ok");
  });
});

describe("the key of a gateway", () => {
  const source = {
    url: "https://gw.example.com/prod/api/v2/sync/gateways/{gateway}/public_key/",
    appCode: "my-app",
    appSecret: SECRET,
  };
  const keyAnswer = (publicKey: string, issuer?: string) =>
    reply(200, { data: { public_key: publicKey, issuer } });

  it("is fetched when needed, once for all who wait, with the application's name", async () => {
    const { verifier, login } = aVerifier({ publicKeys: [], source });
    login.answer = () => keyAnswer(ours.publicKey, "APIGW");
    const token = await aToken();
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => verifier.verify(token)));
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(Array(5).fill("ok"));
    expect(login.requests.map(({ url, headers }) => [String(url), headers])).toEqual([
      [
        "https://gw.example.com/prod/api/v2/sync/gateways/gw/public_key/",
        {
          "X-Bkapi-Authorization": `{"bk_app_code": "my-app", "bk_app_secret": "${SECRET}", "access_token": null}`,
          "X-Bk-Tenant-Id": "",
        },
      ],
    ]);
  });

  it("that changed is fetched anew, but not more often than once a minute", async () => {
    const { verifier, login, clock } = aVerifier({ publicKeys: [], source });
    login.answer = () => keyAnswer(ours.publicKey);
    expect((await verifier.verify(await aToken())).outcome).toBe("ok");
    login.answer = () => keyAnswer(theirs.publicKey);
    const next = await aToken({ key: theirs });
    expect((await verifier.verify(next)).outcome).toBe("invalid");
    clock.advance(60);
    expect((await verifier.verify(next)).outcome).toBe("ok");
    for (let i = 0; i < 20; i++) await verifier.verify(await aToken());
    expect(login.requests).toHaveLength(2);
  });

  test.each([
    ["a refusal", () => reply(403, { error: { code: "X", message: SECRET } })],
    ["a page", () => reply(200, "<html>")],
    ["a key that is none", () => keyAnswer("-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----")],
    ["a private key", () => keyAnswer(ours.privateKey.export({ type: "pkcs8", format: "pem" }).toString())],
  ])("answered with %s is no key: nobody is let in, and the log holds no secret", async (_, answer) => {
    const { verifier, login, logger } = aVerifier({ publicKeys: [], source });
    login.answer = answer;
    expect((await verifier.verify(await aToken())).outcome).toBe("unavailable");
    expect(logger.lines).toHaveLength(1);
    expect(logger.lines.join()).not.toContain(SECRET);
  });

  test.each<[string, Partial<GatewayJwtOptions>]>([
    ["no gateway", { gateways: [] }],
    ["no key", { publicKeys: [] }],
    ["a key that is none", { publicKeys: [{ gateway: "gw", publicKey: "x" }] }],
    ["a tolerance without bounds", { clockTolerance: 301 }],
    ["a source that is no address", { source: { ...source, url: "{gateway}" } }],
  ])("%s is refused at once", (_, more) => {
    expect(() => aVerifier(more)).toThrow(expect.objectContaining({ code: "configuration" }));
  });
});

describe("cookie and gateway together", () => {
  function anApplication() {
    const world = aWorld();
    const { verifier } = aVerifier();
    return { ...world, auth: createBkAuth({ ...world.options, gateway: verifier }) };
  }
  const signedInAs = (username: string) => reply(200, { code: 0, data: { bk_username: username } });

  it("the cookie's user goes first, and the gateway's application is there too", async () => {
    const { auth, login } = anApplication();
    login.answer = () => signedInAs("cookie-user");
    const outcome = await auth.authenticate({ cookies: { bk_token: TICKET }, jwt: await aToken() });
    expect(outcome).toMatchObject({
      outcome: "ok",
      via: "cookie",
      user: { username: "cookie-user" },
      gateway: { app: { appCode: "caller" } },
    });
  });

  it("without a cookie it is the gateway's user, with the default provider and the tenant", async () => {
    const { auth, login } = anApplication();
    const outcome = await auth.authenticate({ cookies: {}, jwt: await aToken() });
    expect(outcome).toMatchObject({
      outcome: "ok",
      via: "gateway",
      user: {
        username: "admin",
        providerType: 2,
        tenantId: "system",
        displayName: null,
        isAuthenticated: true,
      },
    });
    expect(login.requests).toEqual([]);
  });

  it("a user whom the gateway has not verified is nobody, who carries the name", async () => {
    const { auth } = anApplication();
    const claims = { user: { ...USER, verified: false } };
    const outcome = await auth.authenticate({ cookies: {}, jwt: await aToken({ claims }) });
    expect(outcome).toMatchObject({
      outcome: "none",
      user: { username: "admin", isAuthenticated: false },
      gateway: { app: { verified: true } },
    });
  });

  it("a bad token is refused even beside a good cookie", async () => {
    const { auth } = anApplication();
    const outcome = await auth.authenticate({ cookies: { bk_token: TICKET }, jwt: "x" });
    expect(outcome).toMatchObject({ outcome: "invalid", reason: "jwt" });
  });
});

describe("a route for the gateway only", () => {
  const identity = {
    gateway: "gw",
    issuer: "",
    app: { appCode: "caller", verified: true, tenantMode: null, tenantId: null, error: null },
    user: { username: "u", verified: false, tenantId: null, error: null },
    expiresAt: 0,
  };
  test.each([
    [undefined, {}, 403],
    [undefined, { exempt: true }, undefined],
    [identity, {}, 403],
    [identity, { user: false }, undefined],
    [identity, { user: false, apps: ["caller"] }, undefined],
    [identity, { user: false, apps: ["other"] }, 403],
    [
      { ...identity, app: { ...identity.app, verified: false } },
      { user: false, app: false, apps: ["caller"] },
      403,
    ],
  ])("called with %o under %o is answered %s", (who, requirement, status) => {
    const answer = requireGateway(who, requirement);
    expect(answer?.status).toBe(status);
    if (answer !== undefined) expect(answer.headers["content-type"]).toContain("text/plain");
  });
});

describe("the dummy gateway", () => {
  const environment = {
    APIGW_MANAGER_DUMMY_GATEWAY_NAME: "gw",
    APIGW_MANAGER_DUMMY_PAYLOAD_APP_CODE: "caller",
    APIGW_MANAGER_DUMMY_PAYLOAD_USERNAME: "",
  };
  it("verifies what the environment names", async () => {
    expect(await dummyGatewayJwt(environment, false).verify(undefined)).toMatchObject({
      identity: { gateway: "gw", app: { appCode: "caller", verified: true }, user: { verified: false } },
    });
  });

  it("is refused in production", () => {
    expect(() => dummyGatewayJwt(environment, true)).toThrow("development");
  });
});
