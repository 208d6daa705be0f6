import { createHmac } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TenantSettingsPatch } from "@ostiary/contracts";
import { createRole } from "../../../packages/server/src/domain/access/index.ts";
import { createPasswordHasher } from "../../../packages/server/src/domain/credentials/index.ts";
import { addGroupMembers, createGroup } from "../../../packages/server/src/domain/groups/index.ts";
import { findPerson } from "../../../packages/server/src/domain/levels/index.ts";
import { ensureFlagRole } from "../../../packages/server/src/domain/levels/permission-numbers.ts";
import { finishOutgoing } from "../../../packages/server/src/domain/outgoing/index.ts";
import { createSession } from "../../../packages/server/src/domain/sessions/index.ts";
import { findTenantById, updateSettings } from "../../../packages/server/src/domain/tenants/index.ts";
import { findActiveDialectKey, issueSlidingToken } from "../../../packages/server/src/domain/tokens/index.ts";
import { createUser, updateUser } from "../../../packages/server/src/domain/users/index.ts";
import { ALL_PERMISSIONS } from "../../../packages/server/src/kernel/context.ts";
import {
  aServer,
  type TestServer,
  type TestServerOptions,
} from "../../../packages/server/src/testing/a-server.ts";
import { contextOf } from "../../../packages/server/src/testing/test-deps.ts";

export const PASSWORD = "Passw0rd.x1";

export interface Answer {
  status: number;
  headers: Record<string, string>;
  /** Parsed JSON; undefined without a body. */
  body: unknown;
  text: string;
}

export interface Mail {
  to: string;
  subject: string;
  text: string;
}

/** How a token was made by hand: signed by our key and for a session of ours where nothing else is said. */
export interface Made {
  alg?: "HS256" | "none";
  key?: "another";
  without?: readonly string[];
  claims?: Readonly<Record<string, unknown>>;
  /** Seconds from now. */
  expiresIn?: number;
  refreshExpiresIn?: number;
}

export interface World extends AsyncDisposable {
  server: TestServer;
  /** The origin of the users' numbers: the first seeded user is this + 1. */
  call(path: string, options?: CallOptions): Promise<Answer>;
  /** A token of one of the seeded users. */
  token(name: string, origin?: string): Promise<string>;
  /** A token of the user with this number, in a session that no door counts unless told otherwise. */
  mint(serial: number, options?: { slot?: string; made?: Made }): Promise<string>;
  mails(): Promise<Mail[]>;
  configure(zibanu: TenantSettingsPatch["zibanu"]): Promise<void>;
}

export interface CallOptions {
  method?: string;
  body?: unknown;
  token?: string;
  origin?: string;
  headers?: Record<string, string>;
}

/** One hash for all of them: they take long. */
const HASH = createPasswordHasher().hash(PASSWORD);

/** name, group, further facts: the users of the oracle's seed, in its order, so that their numbers are 1 to 12. */
const PEOPLE: readonly {
  name: string;
  group?: number;
  roles?: string[];
  preferences?: object | null;
  suspended?: true;
}[] = [
  { name: "root", roles: ["administrator", "staff"], preferences: null },
  { name: "admin", roles: ["administrator", "staff"] },
  { name: "staff", roles: ["staff"], preferences: { multipleLogin: true } },
  { name: "manager", group: 1, roles: ["managers"] },
  { name: "plain", group: 3, preferences: { timezone: "America/Bogota" } },
  { name: "multi", preferences: { multipleLogin: true } },
  { name: "inactive", suspended: true },
  { name: "noprofile", preferences: null },
  { name: "secure", preferences: { securePassword: true } },
  { name: "viewer", group: 2, roles: ["viewers"] },
  { name: "guest", group: 4, roles: ["viewers"] },
  { name: "victim" },
];

const GROUPS: readonly { name: string; level: number | null }[] = [
  { name: "Admins", level: 3 },
  { name: "Supervisors", level: 4 },
  { name: "Operators", level: 5 },
  { name: "Guests", level: 9 },
  { name: "NoLevel", level: null },
];

/** An Ostiary with what the oracle is seeded with, at `/zibanu`. */
export async function aZibanu(
  zibanu: TenantSettingsPatch["zibanu"] = {},
  options: TestServerOptions = {},
): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), "ostiary-mails-"));
  const server = await aServer({
    ...options,
    config: { mail: `file:${folder}`, ...options.config },
  });
  const { deps, app, tenantId } = server;
  const admin = contextOf(tenantId);
  await seed(server);
  const configure: World["configure"] = async (patch) => {
    await updateSettings(deps, admin, { zibanu: patch ?? {} });
  };
  await configure(zibanu);
  const call: World["call"] = async (path, { method = "POST", body, token, origin, headers = {} } = {}) => {
    const isText = typeof body === "string" || Buffer.isBuffer(body);
    const answer = await app.inject({
      method: method as "POST",
      url: `/zibanu${path}`,
      headers: {
        ...(body === undefined || "content-type" in headers ? {} : { "content-type": "application/json" }),
        ...(token === undefined ? {} : { authorization: `JWT ${token}` }),
        ...(origin === undefined ? {} : { origin }),
        ...headers,
      },
      ...(body === undefined ? {} : { payload: isText ? (body as string) : JSON.stringify(body) }),
    });
    const isJson = answer.headers["content-type"] === "application/json" && answer.body !== "";
    return {
      status: answer.statusCode,
      headers: answer.headers as Record<string, string>,
      body: isJson ? JSON.parse(answer.body) : undefined,
      text: answer.body,
    };
  };
  return {
    server,
    call,
    configure,
    token: async (name, origin) => {
      const body = { email: `${name}@example.com`, password: PASSWORD, close: true };
      const answer = await call("/login/", { body, ...(origin === undefined ? {} : { origin }) });
      return tokenOf(answer);
    },
    mint: async (serial, { slot = "zibanu:mint", made } = {}) => {
      const tenant = await findTenantById(deps, tenantId);
      const person = tenant && (await findPerson(deps, tenant, { serial }));
      if (!person) return "no.such.user";
      const policy = { slot, idleSeconds: 3_600, absoluteSeconds: 86_400 };
      const { session } = await createSession(deps, admin, { userId: person.id, amr: ["pwd"], policy });
      const token = await issueSlidingToken(deps, tenant, session, { id: serial, claim: {} });
      return made ? remade(server, token, made) : token;
    },
    mails: async () => {
      await finishOutgoing(deps);
      return readdirSync(folder)
        .filter((name) => name.endsWith(".json"))
        .sort()
        .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as Mail);
    },
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The same token as somebody would have made it who knows our key, or does not. */
async function remade({ deps, tenantId }: TestServer, token: string, made: Made): Promise<string> {
  const [header = "", payload = ""] = token.split(".");
  const parse = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString()) as { iat: number };
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");
  const claims: Record<string, unknown> & { iat: number } = parse(payload);
  if (made.expiresIn !== undefined) claims["exp"] = claims.iat + made.expiresIn;
  if (made.refreshExpiresIn !== undefined) claims["refresh_exp"] = claims.iat + made.refreshExpiresIn;
  Object.assign(claims, made.claims);
  for (const name of made.without ?? []) delete claims[name];
  const input = `${encode({ ...parse(header), alg: made.alg ?? "HS512" })}.${encode(claims)}`;
  if (made.alg === "none") return `${input}.`;
  const { signingKey } = await findActiveDialectKey(deps, tenantId, "zibanu");
  const key = made.key === "another" ? "somebody else's" : (signingKey ?? "");
  return `${input}.${createHmac(made.alg === "HS256" ? "sha256" : "sha512", key)
    .update(input)
    .digest("base64url")}`;
}

async function seed({ deps, tenantId }: TestServer): Promise<void> {
  const admin = contextOf(tenantId, { permissions: ALL_PERMISSIONS });
  await ensureFlagRole(deps, admin, "staff");
  await createRole(deps, admin, { code: "viewers", permissions: ["user:read"] });
  await createRole(deps, admin, {
    code: "managers",
    permissions: ["user:read", "user:write", "role:read"],
  });
  const groups = [];
  for (const [index, { name, level }] of GROUPS.entries()) {
    groups.push(await createGroup(deps, admin, { code: name.toLowerCase(), name, level, serial: index + 1 }));
  }
  for (const [index, { name, group, roles = [], preferences = {}, suspended }] of PEOPLE.entries()) {
    const user = await createUser(deps, admin, {
      serial: index + 1,
      username: name,
      email: `${name}@example.com`,
      emailVerified: true,
      profile: { givenName: `${name[0]?.toUpperCase()}${name.slice(1)}`, familyName: "Test" },
      password: { hash: await HASH },
      roles,
      status: suspended ? "suspended" : "active",
    } as Parameters<typeof createUser>[2]);
    // After the password, which is shorter than secure ones are.
    if (preferences) {
      await updateUser(deps, admin, user.id, { preferences: { theme: "corporate", ...preferences } });
    }
    const target = group === undefined ? undefined : groups[group - 1];
    if (target) await addGroupMembers(deps, admin, target.id, [user.id]);
  }
}

export function tokenOf({ status, body, text }: Answer): string {
  if (status !== 200) throw new Error(`no token: ${status} ${text}`);
  return (body as { token: string }).token;
}

export function payloadOf(token: string): Record<string, unknown> & { user: Record<string, unknown> } {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as never;
}
