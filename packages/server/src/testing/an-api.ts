import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from "fastify";
import { apiPlugin } from "../api/index.ts";
import type { Deps } from "../domain/deps.ts";
import { ensureDefaultTenant, findTenantBySlug } from "../domain/tenants/index.ts";
import { createApp } from "../platform/http/create-app.ts";
import { createLogger } from "../platform/telemetry/logger.ts";
import { aDatabase, type TestDatabase } from "./a-database.ts";
import { testDeps } from "./test-deps.ts";

const SECRET = "operator-secret";

export interface TestApi extends AsyncDisposable {
  app: FastifyInstance;
  deps: Deps;
  tenantId: string;
  database: TestDatabase;
  /** A request with all rights, unless it brings another `authorization`. */
  call(
    method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE",
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<LightMyRequestResponse>;
}

/** API v1 alone, on a database of its own and with a frozen clock. */
export async function anApi(overrides: Partial<Deps> = {}): Promise<TestApi> {
  const database = await aDatabase();
  const deps = testDeps(database.database, overrides);
  const tenant = await ensureDefaultTenant(deps);
  const app = await createApp({
    log: createLogger("silent"),
    resolveTenant: (slug) => findTenantBySlug(deps, slug),
    trustedProxies: [],
  });
  await app.register(apiPlugin(deps, { operatorSecret: SECRET }), { prefix: "/api/v1" });
  await app.ready();
  const call: TestApi["call"] = (method, path, body, headers) => {
    const request: InjectOptions = {
      method,
      url: `/api/v1${path}`,
      headers: { authorization: `Operator ${SECRET}`, ...headers },
    };
    if (body === undefined) return app.inject(request);
    const json = { "content-type": "application/json", ...request.headers };
    return app.inject({
      ...request,
      headers: json,
      payload: typeof body === "string" ? body : JSON.stringify(body),
    });
  };
  return {
    app,
    deps,
    tenantId: tenant.id,
    database,
    call,
    [Symbol.asyncDispose]: async () => {
      await app.close();
      await database[Symbol.asyncDispose]();
    },
  };
}
