import type { OutgoingHttpHeaders } from "node:http";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { aServer, type TestServer } from "../../../packages/server/src/testing/a-server.ts";

export const JSON_TYPE = { "content-type": "application/json" };
export const FORM_TYPE = { "content-type": "application/x-www-form-urlencoded" };
export const MEBIBYTE = 1024 * 1024;

/** A server with an application, and with another tenant that has one object of each kind. */
export interface Scene {
  server: TestServer;
  shop: { id: string; secret: string };
  /** `ids` by the nouns of the API's addresses. */
  other: { tenantId: string; ids: Record<string, string> };
  send(request: Request): Promise<Answer>;
}

export interface Request {
  /** Default: POST. */
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  url: string;
  headers?: Record<string, string>;
  payload?: string | Buffer | object;
}

export interface Answer {
  status: number;
  headers: OutgoingHttpHeaders;
  body: Record<string, unknown>;
}

/** Sets the scene for a file. After each of its tests the database must be what it was before. */
export function useScene(): Scene {
  const scene = {} as Scene;
  let before: Record<string, string>;
  beforeAll(async () => {
    const server = await aServer();
    Object.assign(scene, { server, send: sender(server), ...(await furnish(server)) });
  });
  beforeEach(async () => {
    before = await stateOfTables(scene.server);
  });
  afterEach(async () => {
    expect(await stateOfTables(scene.server), "a refused request has written something").toEqual(before);
  });
  afterAll(() => scene.server?.[Symbol.asyncDispose]());
  return scene;
}

function sender({ app }: TestServer): Scene["send"] {
  return async (request) => {
    const { statusCode, headers, body } = await app.inject({ method: "POST", ...request });
    return {
      status: statusCode,
      headers,
      body: (body === "" ? {} : JSON.parse(body)) as Record<string, unknown>,
    };
  };
}

async function furnish(server: TestServer): Promise<Pick<Scene, "shop" | "other">> {
  const api = (method: "GET" | "POST", path: string, body?: object, headers = {}) =>
    call(server, method, path, body, headers);
  await api("POST", "/tenants", { slug: "other", name: "Other" });
  const there = { "ostiary-tenant": "other" };
  const user = await api(
    "POST",
    "/users",
    { username: "li", password: { plain: "correct horse battery" } },
    there,
  );
  const application = await api("POST", "/applications", { slug: "there", name: "There" }, there);
  const role = await api("POST", "/roles", { code: "editor", name: "Editor", permissions: [] }, there);
  const key = await api("POST", "/api-keys", { name: "k", type: "user", userId: user.id }, there);
  const field = await api("POST", "/custom-fields", { key: "badge", type: "string" }, there);
  const other = {
    tenantId: String((await api("GET", "/tenants")).items.find(({ slug }) => slug === "other")?.id),
    ids: {
      users: user.id,
      applications: application.id,
      roles: role.id,
      "api-keys": key.id,
      "custom-fields": field.id,
    },
  };
  const shop = (await api("POST", "/applications", {
    slug: "shop",
    name: "Shop",
    redirectUris: ["http://127.0.0.1:9001/callback"],
    grantTypes: ["authorization_code", "client_credentials"],
  })) as unknown as { id: string; secret: string };
  return { shop, other };
}

interface ApiAnswer {
  [field: string]: unknown;
  id: string;
  items: { slug: string; id: string }[];
}

/** A good call of our own API, to set the scene. */
async function call(
  server: TestServer,
  method: "GET" | "POST",
  path: string,
  body?: object,
  headers = {},
): Promise<ApiAnswer> {
  const answer = await server.app.inject({
    method,
    url: `/api/v1${path}`,
    headers: { authorization: server.operator, ...headers },
    ...(body === undefined ? {} : { payload: body }),
  });
  if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.statusCode} ${answer.body}`);
  return answer.json() as ApiAnswer;
}

/** Count and digest of the rows of every table that says what is; not counters, and not what jobs write meanwhile. */
async function stateOfTables(server: TestServer): Promise<Record<string, string>> {
  const { database } = server.database;
  const tables = await database.query<{ name: string }>(
    `select table_name as name from information_schema.tables
      where table_schema = 'public' and table_type = 'BASE TABLE'
        and table_name not in ('rate_limits', 'job_turns', 'event_cursors', 'events', 'audit_entries', 'audit_heads',
                               'signing_keys')
        and table_name not like 'usage\\_calls\\_%' -- partitions, made by a job
      order by 1`,
  );
  const states: Record<string, string> = {};
  for (const { name } of tables) {
    const [row] = await database.query<{ state: string }>(
      `select count(*) || ' ' || coalesce(md5(string_agg(t::text, ',' order by t::text)), '') as state from ${name} t`,
    );
    states[name] = row?.state ?? "";
  }
  return states;
}
