import { createServer } from "node:net";
import type { FastifyInstance } from "fastify";
import { type Composition, compose } from "../compose.ts";
import { readConfig, type ServerConfig } from "../config.ts";
import type { Deps } from "../domain/deps.ts";
import { ensureDefaultTenant } from "../domain/tenants/index.ts";
import { AdjustableClock } from "../kernel/clock.ts";
import { createLogger } from "../platform/telemetry/logger.ts";
import { aDatabase, type TestDatabase } from "./a-database.ts";
import { TEST_KEYS } from "./test-deps.ts";

export interface TestServer extends AsyncDisposable {
  app: FastifyInstance;
  deps: Deps;
  clock: AdjustableClock;
  /** Of the default tenant. */
  tenantId: string;
  /** All rights: `authorization: <operator>` for API v1. */
  operator: string;
  /** Only with `listen: true`: `http://<host>:<port>`, also the public URL. */
  url: string;
  database: TestDatabase;
}

export interface TestServerOptions {
  /** Listens on a free port; default: only `app.inject`. */
  listen?: boolean;
  /** Its name with `listen`; passkeys need a domain. Default: `127.0.0.1`. */
  host?: "127.0.0.1" | "localhost";
  /** Another process's database: two servers on one. The caller disposes it. */
  on?: TestDatabase;
  config?: Partial<ServerConfig>;
  /** Wished port, for a server that comes back under the same address. */
  port?: number;
}

/** The whole server on a database of its own, in this process. */
export async function aServer(options: TestServerOptions = {}): Promise<TestServer> {
  const database = options.on ?? (await aDatabase());
  const clock = new AdjustableClock();
  const port = options.listen ? (options.port ?? (await freePort())) : 0;
  const url = options.listen ? `http://${options.host ?? "127.0.0.1"}:${port}` : "http://ostiary.test";
  const config = readConfig(
    {},
    { logLevel: "silent", rateLimits: "memory", poolSize: 8, mail: "log", ...options.config },
  );
  const composition: Composition = await compose({
    config,
    publicUrl: config.publicUrl ?? url,
    connection: database.connection,
    masterKeys: TEST_KEYS,
    clock,
    log: createLogger(config.logLevel),
  });
  const { app, deps, operatorSecret } = composition;
  if (options.listen) await app.listen({ port, host: "127.0.0.1" });
  else await app.ready();
  const tenant = await ensureDefaultTenant(deps);
  return {
    app,
    deps,
    clock,
    tenantId: tenant.id,
    operator: `Operator ${operatorSecret}`,
    url,
    database,
    [Symbol.asyncDispose]: async () => {
      await app.close();
      await composition.close();
      if (!options.on) await database[Symbol.asyncDispose]();
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
