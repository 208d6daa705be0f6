import { createApplication } from "../../../packages/server/src/domain/applications/index.ts";
import { createPasswordHasher } from "../../../packages/server/src/domain/credentials/password-hasher.ts";
import { createTenant, updateSettings } from "../../../packages/server/src/domain/tenants/index.ts";
import { aServer, type TestServer } from "../../../packages/server/src/testing/a-server.ts";
import { aMailbox, type Mailbox } from "../../../packages/server/src/testing/mailbox.ts";
import { contextOf } from "../../../packages/server/src/testing/test-deps.ts";

export const ORIGIN = "https://shop.example";

/** Seconds. Waiting for longer ends every sign-in, code and token. */
export const ABSOLUTE = 28_800;

/** `shop` is as strict as the tenant, `vault` always wants two factors, `phone` has forms of its own. */
export type AppName = "shop" | "vault" | "phone";

export interface App {
  name: AppName;
  id: string;
  secret: string;
}

/** What the tenant asks of everybody. */
export interface Rules {
  /** Whether who has a second factor is asked for it everywhere. */
  asks: boolean;
  zibanu: "1.1" | "3.0";
}

/** The whole server with every dialect, three applications in a tenant, and the same in a foreign tenant. */
export interface House extends AsyncDisposable {
  server: TestServer;
  mailbox: Mailbox;
  apps: Record<AppName, App>;
  /** Of the tenant `other`. */
  foreign: Record<AppName, App>;
  rules(rules: Rules): Promise<void>;
  /** A call of a program, as a rule with a JSON body. */
  call(method: "GET" | "POST", url: string, how?: Call): Promise<Reply>;
}

export interface Call {
  json?: object;
  form?: Record<string, string>;
  headers?: Record<string, string>;
}

export interface Reply {
  status: number;
  location: string;
  body: Record<string, unknown>;
}

export async function aHouse(): Promise<House> {
  const server = await aServer();
  const { deps, tenantId } = server;
  const mailbox = aMailbox();
  // Thousands of sign-ins from one address: what limits do is tested elsewhere.
  const limits = { look: async (all: readonly unknown[]) => all.map(() => ({ points: 0, seconds: 0 })) };
  Object.assign(deps, {
    limits: { ...limits, consume: async () => 0, reset: async () => {} },
    sender: mailbox.sender,
    hasher: createPasswordHasher({ memoryKiB: 1_024, iterations: 1 }),
  });
  const other = await createTenant(deps, contextOf(tenantId), { slug: "other", name: "Other" });
  return {
    server,
    mailbox,
    apps: await applicationsOf(server, tenantId),
    foreign: await applicationsOf(server, other.id),
    async rules({ asks, zibanu }) {
      const signIn = {
        methods: ["password" as const],
        secondFactors: ["totp" as const, "recovery_code" as const],
        secondFactor: asks ? ("enrolled" as const) : ("never" as const),
      };
      const sessions = { idleSeconds: 7_200, absoluteSeconds: ABSOLUTE };
      await updateSettings(deps, contextOf(tenantId), { signIn, sessions, zibanu: { compat: zibanu } });
    },
    call: (method, url, how = {}) => call(server, method, url, how),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function applicationsOf(server: TestServer, tenantId: string): Promise<Record<AppName, App>> {
  const make = async (name: AppName, settings: object): Promise<App> => {
    const { application, secret } = await createApplication(server.deps, contextOf(tenantId), {
      slug: name,
      name,
      redirectUris: [`${ORIGIN}/${name}`],
      allowedReturnOrigins: [ORIGIN],
      grantTypes: ["authorization_code", "refresh_token"],
      scopes: ["openid", "profile", "account"],
      consent: "implicit",
      tokenEndpointAuthMethod: name === "phone" ? "none" : "client_secret_basic",
      settings,
    });
    return { name, id: application.id, secret: secret ?? "" };
  };
  return {
    shop: await make("shop", {}),
    vault: await make("vault", { secondFactor: "always" }),
    phone: await make("phone", { headlessSignIn: true }),
  };
}

async function call(server: TestServer, method: "GET" | "POST", url: string, how: Call): Promise<Reply> {
  const { json, form, headers = {} } = how;
  const type = form ? "application/x-www-form-urlencoded" : "application/json";
  const payload = form ? new URLSearchParams(form).toString() : json && JSON.stringify(json);
  const answer = await server.app.inject({
    method,
    url,
    headers: { ...(payload === undefined ? {} : { "content-type": type }), ...headers },
    ...(payload === undefined ? {} : { payload }),
  });
  if (answer.statusCode >= 500)
    throw new Error(`${method} ${url} answered ${answer.statusCode}: ${answer.body}`);
  return {
    status: answer.statusCode,
    location: String(answer.headers.location ?? ""),
    body: objectOf(answer.body),
  };
}

function objectOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** What is at the end of the names, as far as it is there. */
export function at(body: unknown, ...names: string[]): unknown {
  return names.reduce<unknown>(
    (value, name) =>
      typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined,
    body,
  );
}

export const textAt = (body: unknown, ...names: string[]): string => {
  const value = at(body, ...names);
  return typeof value === "string" ? value : "";
};

export const basic = ({ id, secret }: App) => ({
  authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString("base64")}`,
});
