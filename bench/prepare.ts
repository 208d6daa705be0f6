import type { Tenant } from "@ostiary/contracts";
import { createApiKey } from "../packages/server/src/domain/api-keys/index.ts";
import { type Application, findApplication } from "../packages/server/src/domain/applications/index.ts";
import { createPasswordHasher } from "../packages/server/src/domain/credentials/password-hasher.ts";
import type { Deps } from "../packages/server/src/domain/deps.ts";
import { createSession, type Session } from "../packages/server/src/domain/sessions/index.ts";
import { ensureDefaultTenant, findTenantById } from "../packages/server/src/domain/tenants/index.ts";
import { issueTicket } from "../packages/server/src/domain/tickets/index.ts";
import {
  createAuthorizationCode,
  issueAccessToken,
  issueSlidingToken,
  redeemCode,
} from "../packages/server/src/domain/tokens/index.ts";
import { AdjustableClock } from "../packages/server/src/kernel/clock.ts";
import { systemContext } from "../packages/server/src/kernel/context.ts";
import { newId } from "../packages/server/src/kernel/identifiers.ts";
import { migrate } from "../packages/server/src/platform/database/migrate.ts";
import { connect, type PgDatabase } from "../packages/server/src/platform/database/pool.ts";
import { loadHashKey } from "../packages/server/src/platform/secrets/installation-key.ts";
import { createSealer, createSecrets } from "../packages/server/src/platform/secrets/sealing.ts";
import { testDeps } from "../packages/server/src/testing/test-deps.ts";
import { PUBLIC_URL, type StrongUser } from "./load.ts";
import { RSA_TENANT, type SeedSize, seed, seededId } from "./seed.ts";
import { makeStrongUsers } from "./strong-users.ts";

export interface DatabaseAddress {
  host: string;
  port: number;
  user: string;
  database: string;
}

export const PASSWORD = "correct horse battery staple";
export const SECRET = "bench-secret-0123456789abcdefghij";

/** Different tokens, users and tenants that requests walk through. */
const WORKING_SET = 500;
/** More than the connections of the load generator. */
const CHAINS = 64;

export interface Caller {
  tenantSlug: string;
  applicationId: string;
}

export interface TokenCaller extends Caller {
  token: string;
}

/** A service that asks with an API key whether a user may. */
export interface Asker extends Caller {
  apiKey: string;
  userId: string;
}

export interface UserCaller extends Caller {
  identifier: string;
}

/** Everything that requests are made from. */
export interface Prepared {
  accessTokens: TokenCaller[];
  /** BlueKing's, of the same people. */
  tickets: TokenCaller[];
  /** Zibanu's, of the same people. */
  slidingTokens: TokenCaller[];
  /** Of grants without and with `openid`; the latter answer an ID token too. */
  refreshTokens: TokenCaller[];
  openidRefreshTokens: TokenCaller[];
  users: UserCaller[];
  /** Others than `users`, who are asked for more than the password. */
  strong: { users: StrongUser[]; passkey: string };
  askers: Asker[];
  applications: Caller[];
  rsaApplication: Caller;
  /** For the statement alone: rows that no server touches. */
  rotation: { tenantId: string; applicationId: string; families: { id: string; generation: number }[] };
}

/** Migrates and fills a database, and makes the tokens that the measurements send. */
export async function prepare(
  address: DatabaseAddress,
  masterKey: Buffer,
  size: SeedSize,
  say: (message: string) => void,
): Promise<Prepared> {
  await migrate(address);
  const database = connect({ connection: address, poolSize: 4, onError: () => {} });
  try {
    const sealer = createSealer({ current: masterKey });
    const hashKey = await loadHashKey(database, sealer);
    const secrets = createSecrets({ sealer, hashKey });
    const deps = testDeps(database, { secrets, publicUrl: PUBLIC_URL, clock: new AdjustableClock() });
    const { id: defaultTenantId } = await ensureDefaultTenant(deps);
    const passwordHash = await createPasswordHasher().hash(PASSWORD);
    const secretHash = secrets.keyedHash(SECRET, "application-secret");
    await seed(address, { ...size, defaultTenantId, passwordHash, secretHash }, say);
    return await makeTokens(deps, database, size, defaultTenantId);
  } finally {
    await database.close();
  }
}

async function makeTokens(
  deps: Deps,
  database: PgDatabase,
  size: SeedSize,
  defaultTenantId: string,
): Promise<Prepared> {
  const people = pick(size, Math.min(WORKING_SET, size.users));
  const tenantIdOf = (n: number) => (n === 0 ? defaultTenantId : seededId("tenant", n));
  const accessTokens: TokenCaller[] = [];
  const tickets: TokenCaller[] = [];
  const slidingTokens: TokenCaller[] = [];
  for (const person of people) {
    const login = await signIn(deps, tenantIdOf(person.tenant), person);
    const { ticket } = await issueTicket(deps, systemContext(login.tenant.id), login.session, TICKETS);
    tickets.push({ ...callerOf(login), token: ticket });
    const sliding = await issueSlidingToken(deps, login.tenant, login.session, { id: 1, claim: {} });
    slidingTokens.push({ ...callerOf(login), token: sliding });
    const { token } = await issueAccessToken(deps, {
      ...login,
      familyId: newId(deps.clock.now()),
      subject: person.userId,
      amr: ["pwd"],
      scopes: ["openid", "profile", "email", "roles"],
    });
    accessTokens.push({ ...callerOf(login), token });
  }
  const chain = async (scopes: string[], person: Person) => {
    const login = await signIn(deps, tenantIdOf(person.tenant), person);
    return { ...callerOf(login), token: await makeRefreshToken(deps, login, person, scopes) };
  };
  const some = people.slice(0, CHAINS);
  return {
    accessTokens,
    tickets,
    slidingTokens,
    refreshTokens: await Promise.all(some.map((person) => chain(["profile", "email"], person))),
    openidRefreshTokens: await Promise.all(
      some.map((person) => chain(["openid", "profile", "email"], person)),
    ),
    users: people.map((person, index) => ({
      tenantSlug: accessTokens[index]?.tenantSlug ?? "default",
      applicationId: seededId("application", person.tenant),
      identifier: person.username,
    })),
    strong: await makeStrongUsers(deps, strongPeople(size, tenantIdOf)),
    askers: await makeAskers(deps, people, tenantIdOf, accessTokens),
    applications: [...new Map(accessTokens.map((caller) => [caller.tenantSlug, caller])).values()],
    rsaApplication: {
      tenantSlug: RSA_TENANT.slug,
      applicationId: seededId("application", RSA_TENANT.number),
    },
    rotation: await makeFamilies(database, defaultTenantId),
  };
}

/** One API key for each tenant. */
async function makeAskers(
  deps: Deps,
  people: readonly Person[],
  tenantIdOf: (n: number) => string,
  callers: readonly Caller[],
): Promise<Asker[]> {
  const keys = new Map<number, string>();
  const askers: Asker[] = [];
  for (const [index, { tenant, userId }] of people.entries()) {
    const caller = callers[index];
    if (!caller) continue;
    const apiKey = keys.get(tenant) ?? (await makeApiKey(deps, tenantIdOf(tenant)));
    keys.set(tenant, apiKey);
    askers.push({ tenantSlug: caller.tenantSlug, applicationId: caller.applicationId, apiKey, userId });
  }
  return askers;
}

async function makeApiKey(deps: Deps, tenantId: string): Promise<string> {
  const input = { name: "bench", type: "global" as const, permissions: ["access:check"] };
  const { key } = await createApiKey(deps, systemContext(tenantId), input);
  return key;
}

interface Person {
  /** Number of the tenant. */
  tenant: number;
  userId: string;
  username: string;
}

/** The neighbours of those whom `pick` gives. */
function strongPeople(size: SeedSize, tenantIdOf: (n: number) => string) {
  return pick(size, Math.min(WORKING_SET, size.users / 2), 1).map(({ tenant, userId, username }) => ({
    tenantId: tenantIdOf(tenant),
    tenantSlug: tenant === 0 ? "default" : `tenant-${tenant}`,
    applicationId: seededId("application", tenant),
    userId,
    username,
  }));
}

/** Users from everywhere in the table, and from as many tenants as there are. */
function pick({ users, tenants }: SeedSize, count: number, offset = 0): Person[] {
  const stride = Math.floor(users / count);
  return Array.from({ length: count }, (_, i) => {
    const n = (i * stride + (i % tenants) + offset) % users;
    return { tenant: n % tenants, userId: seededId("user", n), username: `user${n}` };
  });
}

/** Those of the tenants' default settings. */
const TICKETS = { slot: "blueking", seconds: 86_400, idleSeconds: 7_200, atMost: null };

interface Login {
  session: Session;
  tenant: Tenant;
  application: Application;
  sessionId: string;
  authenticatedAt: Date;
}

async function signIn(deps: Deps, tenantId: string, person: Person): Promise<Login> {
  const tenant = await findTenantById(deps, tenantId);
  const application = await findApplication(deps, tenantId, seededId("application", person.tenant));
  if (!tenant || !application) throw new Error(`tenant ${tenantId} was not seeded`);
  const { session } = await createSession(deps, systemContext(tenantId), {
    userId: person.userId,
    amr: ["pwd"],
  });
  return { session, tenant, application, sessionId: session.id, authenticatedAt: session.authenticatedAt };
}

function callerOf({ tenant, application }: Login): Caller {
  return { tenantSlug: tenant.slug, applicationId: application.id };
}

async function makeRefreshToken(deps: Deps, login: Login, person: Person, scopes: string[]): Promise<string> {
  const { tenant, application, sessionId, authenticatedAt } = login;
  const context = systemContext(tenant.id);
  const code = await createAuthorizationCode(deps, context, tenant, {
    application,
    userId: person.userId,
    session: { id: sessionId, authenticatedAt, impersonatorId: null },
    offline: false,
    scopes,
    details: { amr: ["pwd"] },
    redirectUri: null,
    codeChallenge: null,
  });
  const issue = await redeemCode(deps, context, tenant, {
    application,
    code,
    redirectUri: null,
    codeVerifier: null,
  });
  if (!issue.refreshToken) throw new Error("no refresh token was issued");
  return issue.refreshToken;
}

/** Rows like those that a code flow leaves. */
async function makeFamilies(database: PgDatabase, tenantId: string): Promise<Prepared["rotation"]> {
  const applicationId = seededId("application", 0);
  const families = await database.query<{ id: string; generation: number }>(
    `insert into token_families (tenant_id, id, application_id, user_id, session_id, scopes, details,
       authenticated_at, code_hash, code_expires_at, code_challenge, redirect_uri, code_used_at, generation,
       refresh_expires_at, created_at, expires_at)
     select $1, 'b' || lpad(to_hex(i), 23, '0'), $2, $3, $3, '{openid,profile,email}', '{"amr":["pwd"]}', now(),
            sha256(i::text::bytea), now(), 'c', 'https://shop.example/callback', now(), 1,
            now() + interval '30 days', now(), now() + interval '31 days'
       from generate_series(1, 1000) i
     returning id, generation`,
    [tenantId, applicationId, seededId("user", 0)],
  );
  return { tenantId, applicationId, families };
}
