import type { FastifyInstance } from "fastify";
import type { Logger } from "pino";
import { picturePlugin } from "./api/avatars.routes.ts";
import { apiPlugin } from "./api/index.ts";
import type { ServerConfig } from "./config.ts";
import { bluekingPlugin } from "./dialects/blueking/routes.ts";
import { huacePlugin } from "./dialects/huace/routes.ts";
import { zibanuPlugin } from "./dialects/zibanu/routes.ts";
import { finishLastUsed } from "./domain/api-keys/index.ts";
import { finishSealing } from "./domain/audit/index.ts";
import {
  anyBreachedPasswords,
  createBreachedPasswordsFile,
  createBreachedPasswordsRange,
  createPasswordHasher,
} from "./domain/credentials/index.ts";
import type { Deps } from "./domain/deps.ts";
import { MESSAGE_SENDERS } from "./domain/notifications/index.ts";
import { startOutgoing } from "./domain/outgoing/index.ts";
import { finishHeartbeats } from "./domain/services/index.ts";
import { finishLastSeen } from "./domain/sessions/index.ts";
import { ensureDefaultTenant, findTenantBySlug } from "./domain/tenants/index.ts";
import { LOGOUT_SENDER } from "./domain/tokens/index.ts";
import { finishRollUp } from "./domain/usage/index.ts";
import { startDeliveries } from "./domain/webhooks/index.ts";
import { startJobs } from "./jobs/run-jobs.ts";
import { ChangeFeed } from "./kernel/changes.ts";
import type { AdjustableClock } from "./kernel/clock.ts";
import { newSecret } from "./kernel/identifiers.ts";
import { hostedPages, pagesPlugin } from "./pages/index.ts";
import { ChangeListenerConnection } from "./platform/database/listener.ts";
import { type ConnectionSettings, connect, type PgDatabase } from "./platform/database/pool.ts";
import { createApp } from "./platform/http/create-app.ts";
import { healthRoutes } from "./platform/http/health.routes.ts";
import { createRateLimits } from "./platform/limits/index.ts";
import { createMessageSender } from "./platform/mail/message-sender.ts";
import { createOutgoingCalls } from "./platform/outgoing/outgoing-calls.ts";
import { loadHashKey } from "./platform/secrets/installation-key.ts";
import { createSealer, createSecrets, type MasterKeys } from "./platform/secrets/sealing.ts";
import { createMetrics, type Metrics } from "./platform/telemetry/metrics.ts";
import { observeRequests } from "./platform/telemetry/request-log.ts";
import { oidcPlugin } from "./protocols/oidc/routes.ts";
import { webauthnPlugin } from "./protocols/webauthn/routes.ts";

export interface Parts {
  config: ServerConfig;
  /** The address of `config`, with the real port. */
  publicUrl: string;
  connection: ConnectionSettings["connection"];
  masterKeys: MasterKeys;
  clock: AdjustableClock;
  log: Logger;
  /** All processes' metrics in Prometheus' text format; default: this process's. */
  collectMetrics?: () => Promise<string>;
}

/** The whole server, joined but not listening. */
export interface Composition {
  app: FastifyInstance;
  deps: Deps;
  database: PgDatabase;
  metrics: Metrics;
  /** Bearer of all rights for calls that never leave this process (the command line on the server's machine). */
  operatorSecret: string;
  /** Ends what runs beside the requests; `app` must be closed before. */
  close(): Promise<void>;
}

/** Joins all parts. This is the one file that knows them all. */
export async function compose(parts: Parts): Promise<Composition> {
  const { config, connection, log } = parts;
  const feed = new ChangeFeed();
  const database = connect({
    connection,
    poolSize: config.poolSize,
    onError: (error) => log.warn({ err: error }, "an idle database connection broke"),
  }).heardBy(feed);
  const listener = new ChangeListenerConnection(connection, feed, log);
  await listener.open();
  const metrics = createMetrics();
  const deps = await createDeps(parts, database, feed, metrics);
  await ensureDefaultTenant(deps);
  const operatorSecret = newSecret();
  const app = await createRoutes(parts, deps, operatorSecret, metrics);
  const jobs = startJobs(deps);
  const deliveries = startDeliveries(deps);
  const outgoing = startOutgoing(deps, [...MESSAGE_SENDERS, LOGOUT_SENDER]);
  const close = async () => {
    await Promise.all([jobs.stop(), deliveries.close(), outgoing.close()]);
    await finishSealing(deps).catch((error: unknown) =>
      log.error({ err: error }, "sealing at the end failed"),
    );
    await Promise.all([
      finishLastSeen(deps),
      finishLastUsed(deps),
      finishHeartbeats(deps),
      finishRollUp(deps),
    ]);
    await listener.close();
    await database.close();
  };
  return { app, deps, database, metrics, operatorSecret, close };
}

async function createDeps(
  parts: Parts,
  database: PgDatabase,
  feed: ChangeFeed,
  metrics: Metrics,
): Promise<Deps> {
  const { config, clock, log, publicUrl } = parts;
  const sealer = createSealer(parts.masterKeys);
  const hashKey = await loadHashKey(database, sealer);
  const secrets = createSecrets({ sealer, hashKey });
  return {
    database,
    clock,
    secrets,
    hasher: createPasswordHasher(
      config.passwordConcurrency === undefined ? {} : { concurrency: config.passwordConcurrency },
    ),
    limits: createRateLimits({ kind: config.rateLimits, database, clock, log }),
    sender: createMessageSender({
      mail: config.mail,
      ...(config.sms === undefined ? {} : { sms: config.sms }),
      hookSecret: secrets.keyedHash("hook", "message-hook").toString("hex"),
      clock,
      logger: log,
    }),
    outgoing: createOutgoingCalls(config.dangerAllowPrivateTargets),
    feed,
    log,
    passkeyOrigins: config.passkeyOrigins,
    breachedPasswords: breachedPasswordsOf(parts, metrics),
    publicUrl,
  };
}

/** The file is near and is asked first. */
function breachedPasswordsOf(
  { config, log }: Parts,
  metrics: Metrics,
): NonNullable<Deps["breachedPasswords"]> {
  const { breachedPasswordsFile: file, breachedPasswordsUrl: url } = config;
  const onFailure = (error: unknown) => {
    metrics.uncheckedPasswords.inc();
    log.warn({ err: error }, "a password was not looked up among breached ones: the service did not answer");
  };
  return anyBreachedPasswords([
    ...(file === undefined ? [] : [createBreachedPasswordsFile(file)]),
    ...(url === undefined ? [] : [createBreachedPasswordsRange(url, { onFailure })]),
  ]);
}

async function createRoutes(
  parts: Parts,
  deps: Deps,
  operatorSecret: string,
  metrics: Metrics,
): Promise<FastifyInstance> {
  const { config, log, clock } = parts;
  const hosted = hostedPages(deps);
  const app = await createApp({
    log,
    resolveTenant: (slug) => findTenantBySlug(deps, slug),
    trustedProxies: config.trustedProxies,
    sendErrorPage: hosted.sendErrorPage,
  });
  observeRequests(app, metrics);
  const ownPort = config.metricsPort !== undefined;
  await app.register(
    healthRoutes({
      database: deps.database,
      feed: deps.feed,
      metrics: ownPort ? undefined : () => parts.collectMetrics?.() ?? metrics.registry.metrics(),
    }),
  );
  await app.register(apiPlugin(deps, { operatorSecret }), { prefix: "/api/v1" });
  await app.register(webauthnPlugin(deps));
  for (const prefix of ["", "/t/:tenant"]) {
    await app.register(pagesPlugin(deps), { prefix });
    await app.register(picturePlugin(deps), { prefix });
    await app.register(oidcPlugin(deps, hosted), { prefix });
    await app.register(huacePlugin(deps), { prefix: `${prefix}/huace` });
    await app.register(bluekingPlugin(deps, hosted), { prefix: `${prefix}/blueking` });
    await app.register(zibanuPlugin(deps), { prefix: `${prefix}/zibanu` });
  }
  if (config.clockControl) {
    app.post<{ Body: { advanceSeconds: number } }>("/_test/clock", {
      schema: {
        body: {
          type: "object",
          required: ["advanceSeconds"],
          additionalProperties: false,
          properties: { advanceSeconds: { type: "number", minimum: 0, maximum: 1e9 } },
        },
      },
      handler: (request, reply) => {
        clock.advance(request.body.advanceSeconds);
        return reply.send({ now: clock.now().toISOString() });
      },
    });
  }
  return app;
}
