import { httpRequest, type LoadJob, type SignInJob } from "./load.ts";
import {
  type Caller,
  PASSWORD,
  type Prepared,
  SECRET,
  type TokenCaller,
  type UserCaller,
} from "./prepare.ts";

export type LimitName = "bare" | "argon2id" | "ES256" | "RS256" | "rotation";
export type Rates = Record<LimitName, number>;

/** An operation of the product, and what it is compared with. */
export interface Measurement {
  name: string;
  title: string;
  /** The limits that `limit` reads. */
  needs: readonly LimitName[];
  /** Operations per CPU-second that nothing built of these parts can exceed. */
  limit(rates: Rates): number;
  limitTitle: string;
  /** The least part of the limit that is good enough; null: shown for information. */
  goal: number | null;
  job(prepared: Prepared, port: number): Omit<LoadJob, "name" | "port">;
  /** Verification runs beside it at a steady rate, and must stay quick. */
  alongside?: boolean;
}

/** Connections of the load generator. Enough that the server never waits; fewer where each operation is long. */
const CONNECTIONS = 32;
const SIGN_IN_CONNECTIONS = 8;
const ROTATION_CONNECTIONS = 32;

const base = ({ tenantSlug }: Caller): string => (tenantSlug === "default" ? "" : `/t/${tenantSlug}`);
const basic = ({ applicationId }: Caller): string =>
  `Basic ${Buffer.from(`${applicationId}:${SECRET}`).toString("base64")}`;

function form(caller: Caller, path: string, values: Record<string, string>): string {
  const headers = { "Content-Type": "application/x-www-form-urlencoded", Authorization: basic(caller) };
  return httpRequest("POST", `${base(caller)}${path}`, headers, new URLSearchParams(values).toString());
}

function verifyRequest(caller: TokenCaller): string {
  const headers = {
    "Content-Type": "application/json",
    "X-App-ID": caller.applicationId,
    "X-App-Secret": SECRET,
  };
  const body = JSON.stringify({ token: caller.token });
  return httpRequest("POST", `${base(caller)}/huace/sdk/token/verify`, headers, body);
}

/** Verifications at a steady rate, for their latency while passwords are hashed. */
export function pacedVerification(prepared: Prepared): Omit<LoadJob, "name" | "port"> {
  return { ...VERIFY.job(prepared, 0), connections: 8, awake: false, rate: 200 };
}

/** The bare server gets what the verification gets. */
export function bareJob(prepared: Prepared): Omit<LoadJob, "name" | "port"> {
  return { ...VERIFY.job(prepared, 0), expect: { status: 200, text: '"valid":true' } };
}

function chainOf(callers: TokenCaller[], answers: string): Omit<LoadJob, "name" | "port"> {
  const lanes = callers.slice(0, ROTATION_CONNECTIONS).map((caller) => ({
    template: form(caller, "/oauth/token", {
      grant_type: "refresh_token",
      refresh_token: caller.token,
    }).replace(caller.token, "{value}"),
    first: caller.token,
  }));
  return {
    connections: ROTATION_CONNECTIONS,
    awake: true,
    requests: [],
    chain: { lanes, pattern: '"refresh_token":"([^"]+)"' },
    expect: { status: 200, text: answers },
  };
}

function clientCredentials(callers: Caller[]): Omit<LoadJob, "name" | "port"> {
  return {
    connections: CONNECTIONS,
    awake: true,
    requests: callers.map((caller) => form(caller, "/oauth/token", { grant_type: "client_credentials" })),
    expect: { status: 200, text: '"access_token":"' },
  };
}

/** 1/(1/a + 1/b): the rate of doing both, one after the other. */
const both = (a: number, b: number): number => 1 / (1 / a + 1 / b);

const VERIFY: Measurement = {
  name: "verify",
  title: "huace token verification",
  needs: ["bare"],
  limit: (rates) => rates.bare,
  limitTitle: "bare POST",
  goal: 0.5,
  job: ({ accessTokens }) => ({
    connections: CONNECTIONS,
    awake: true,
    requests: accessTokens.map(verifyRequest),
    expect: { status: 200, text: '"valid":true' },
  }),
};

export const MEASUREMENTS: readonly Measurement[] = [
  VERIFY,
  {
    name: "introspection",
    title: "token introspection",
    needs: ["bare"],
    limit: (rates) => rates.bare,
    limitTitle: "bare POST",
    goal: 0.5,
    job: ({ accessTokens }) => ({
      connections: CONNECTIONS,
      awake: true,
      requests: accessTokens.map((caller) => form(caller, "/oauth/introspect", { token: caller.token })),
      expect: { status: 200, text: '"active":true' },
    }),
  },
  {
    name: "is-login",
    title: "BlueKing is_login",
    needs: ["bare"],
    limit: (rates) => rates.bare,
    limitTitle: "bare POST",
    goal: 0.5,
    // As bkpaas-auth 4.x asks.
    job: ({ tickets }) => ({
      connections: CONNECTIONS,
      awake: true,
      requests: tickets.map((caller) =>
        httpRequest("GET", `${base(caller)}/blueking/login/api/v3/is_login/?bk_token=${caller.token}`, {
          "blueking-language": "zh-hans",
          "X-Bkapi-Authorization": JSON.stringify({
            bk_token: caller.token,
            bk_app_code: caller.applicationId,
            bk_app_secret: SECRET,
          }),
        }),
      ),
      expect: { status: 200, text: '"bk_username":"user' },
    }),
  },
  {
    name: "zibanu-check",
    title: "Zibanu token check",
    needs: ["bare"],
    limit: (rates) => rates.bare,
    limitTitle: "bare POST",
    goal: 0.5,
    job: ({ slidingTokens }) => ({
      connections: CONNECTIONS,
      awake: true,
      requests: slidingTokens.map((caller) =>
        httpRequest(
          "POST",
          `${base(caller)}/zibanu/grouplevel/list/`,
          { "Content-Type": "application/json", Authorization: `JWT ${caller.token}` },
          "{}",
        ),
      ),
      expect: { status: 200, text: '"Superuser"' },
    }),
  },
  {
    name: "userinfo",
    title: "userinfo",
    needs: ["bare"],
    limit: (rates) => rates.bare,
    limitTitle: "bare POST",
    goal: 0.5,
    job: ({ accessTokens }) => ({
      connections: CONNECTIONS,
      awake: true,
      requests: accessTokens.map((caller) =>
        httpRequest("GET", `${base(caller)}/oauth/userinfo`, { Authorization: `Bearer ${caller.token}` }),
      ),
      expect: { status: 200, text: '"preferred_username":"user' },
    }),
  },
  {
    name: "access-check",
    title: "POST /api/v1/access/check",
    needs: ["bare"],
    limit: (rates) => rates.bare,
    limitTitle: "bare POST",
    goal: 0.5,
    job: ({ askers }) => ({
      connections: CONNECTIONS,
      awake: true,
      requests: askers.map(({ apiKey, userId }) =>
        httpRequest(
          "POST",
          "/api/v1/access/check",
          { "Content-Type": "application/json", Authorization: `Bearer ${apiKey}` },
          JSON.stringify({ subject: { type: "user", id: userId }, action: "read", resource: "user" }),
        ),
      ),
      expect: { status: 200, text: '{"allowed":' },
    }),
  },
  {
    name: "client-es256",
    title: "client credentials, ES256",
    needs: ["bare", "ES256"],
    limit: (rates) => both(rates.bare, rates.ES256),
    limitTitle: "bare POST + signature",
    goal: 0.5,
    job: ({ applications }) => clientCredentials(applications),
  },
  {
    name: "client-rs256",
    title: "client credentials, RS256",
    needs: ["bare", "RS256"],
    limit: (rates) => both(rates.bare, rates.RS256),
    limitTitle: "bare POST + signature",
    goal: 0.5,
    job: ({ rsaApplication }) => clientCredentials([rsaApplication]),
  },
  {
    name: "rotation",
    title: "refresh token rotation",
    needs: ["rotation"],
    limit: (rates) => rates.rotation,
    limitTitle: "the statement alone",
    goal: 0.5,
    job: ({ refreshTokens }) => chainOf(refreshTokens, '"refresh_token":"'),
  },
  {
    name: "rotation-openid",
    title: "refresh token rotation with ID token",
    needs: ["rotation", "ES256"],
    limit: (rates) => both(rates.rotation, rates.ES256),
    limitTitle: "the statement + signature",
    goal: null,
    job: ({ openidRefreshTokens }) => chainOf(openidRefreshTokens, '"id_token":"'),
  },
  {
    name: "sign-in",
    title: "password sign-in (API)",
    needs: ["argon2id"],
    limit: (rates) => rates.argon2id,
    limitTitle: "argon2id alone",
    goal: 0.8,
    alongside: true,
    job: ({ users }) => ({
      connections: SIGN_IN_CONNECTIONS,
      requests: users.map(({ tenantSlug, applicationId, identifier }) =>
        httpRequest(
          "POST",
          "/api/v1/sign-in",
          { "Content-Type": "application/json", "Ostiary-Tenant": tenantSlug },
          JSON.stringify({ applicationId, applicationSecret: SECRET, identifier, password: PASSWORD }),
        ),
      ),
      expect: { status: 201, text: '"accessToken":"' },
    }),
  },
  {
    name: "zibanu-login",
    title: "Zibanu login",
    needs: ["argon2id"],
    limit: (rates) => rates.argon2id,
    limitTitle: "argon2id alone",
    goal: 0.8,
    job: ({ users }) => ({
      connections: SIGN_IN_CONNECTIONS,
      requests: users.map((caller) =>
        httpRequest(
          "POST",
          `${base(caller)}/zibanu/login/`,
          { "Content-Type": "application/json" },
          JSON.stringify({ email: `${caller.identifier}@example.com`, password: PASSWORD, close: true }),
        ),
      ),
      expect: { status: 200, text: '{"token":"' },
    }),
  },
  {
    name: "sign-in-totp",
    title: "sign-in with password and TOTP (4 requests)",
    needs: ["argon2id"],
    limit: (rates) => rates.argon2id,
    limitTitle: "argon2id alone",
    goal: null,
    job: (prepared) => strongSignIn(prepared, "totp"),
  },
  {
    name: "sign-in-passkey",
    title: "sign-in with a passkey (4 requests)",
    needs: ["argon2id"],
    limit: (rates) => rates.argon2id,
    limitTitle: "argon2id alone",
    goal: null,
    job: (prepared) => strongSignIn(prepared, "passkey"),
  },
  {
    name: "wrong-passwords",
    title: "200 wrong passwords a second",
    needs: ["argon2id"],
    limit: (rates) => rates.argon2id,
    limitTitle: "argon2id alone",
    goal: null,
    alongside: true,
    job: ({ users }) => ({
      connections: GUESSER_CONNECTIONS,
      rate: 200,
      requests: wrongPasswords(users),
      // Too many of one account (429) and more than the hasher's queue holds (503) are right answers too.
      expect: { status: [401, 429, 503], text: '"code":"credential.' },
    }),
  },
];

/** Of a guesser: so many that the rate does not wait for answers. */
const GUESSER_CONNECTIONS = 128;

/** Each guess from an address of its own, every other one at a name that nobody has. */
function wrongPasswords(users: readonly UserCaller[]): string[] {
  return Array.from({ length: 20_000 }, (_, i) => {
    const { tenantSlug, applicationId, identifier } = users[i % users.length] ?? NOBODY;
    const headers = {
      "Content-Type": "application/json",
      "Ostiary-Tenant": tenantSlug,
      "X-Forwarded-For": `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`,
    };
    const body = {
      applicationId,
      applicationSecret: SECRET,
      identifier: i % 2 === 0 ? identifier : `nobody${i}`,
      password: `wrong ${i}`,
    };
    return httpRequest("POST", "/api/v1/sign-in", headers, JSON.stringify(body));
  });
}

const NOBODY: UserCaller = { tenantSlug: "default", applicationId: "", identifier: "" };

function strongSignIn({ strong }: Prepared, method: SignInJob["method"]): Omit<LoadJob, "name" | "port"> {
  const { users: people, passkey } = strong;
  return {
    connections: SIGN_IN_CONNECTIONS,
    requests: [],
    signIn: { method, people, password: PASSWORD, passkey },
    expect: { status: 200, text: '"code":"' },
  };
}
