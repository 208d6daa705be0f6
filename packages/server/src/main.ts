import { createServer } from "node:net";
import type { Logger } from "pino";
import { type Composition, compose, type Parts } from "./compose.ts";
import { ConfigurationError, type ServerConfig } from "./config.ts";
import { createSetUpLink } from "./domain/sign-in/index.ts";
import { ensureAdministrator } from "./ensure-administrator.ts";
import { AdjustableClock } from "./kernel/clock.ts";
import { type OpenDatabase, openDatabase } from "./platform/database/open-database.ts";
import type { ProblemDocument } from "./platform/http/problems.ts";
import { loadMasterKeys } from "./platform/secrets/rekey.ts";
import { createLogger } from "./platform/telemetry/logger.ts";
import { serveMetrics } from "./platform/telemetry/metrics-server.ts";
import { inSmallYoungSpace } from "./platform/young-space.ts";
import { startCluster } from "./workers.ts";

export interface RunningServer {
  url: string;
  /** The one-time address at which the first administrator sets a password; null when there is one. */
  setUpLink: string | null;
  /** Ephemeral servers whose file names no administrator get one. */
  administrator: { username: string; password: string } | null;
  /** Finishes requests in flight, then stops everything. */
  close(): Promise<void>;
}

/**
 * Starts the identity centre: database, migrations, configuration file, HTTP.
 *
 * @param say - told in words what takes time.
 * @throws Error whose message says what is wrong and what to do.
 */
export async function startServer(
  given: ServerConfig,
  say: (message: string) => void = () => {},
): Promise<RunningServer> {
  const config = { ...given, port: await probePort(given.host, given.port) };
  if (config.clockControl && config.workers > 1) {
    throw new ConfigurationError(
      "The clock can be controlled in one process only: leave out OSTIARY_WORKERS.",
    );
  }
  return inSmallYoungSpace(() => start(config, say));
}

async function start(config: ServerConfig, say: (message: string) => void): Promise<RunningServer> {
  const log = createLogger(config.logLevel);
  const store = await openDatabase(config, say);
  try {
    const parts = await makeParts(config, store, log);
    const composition = await compose(parts);
    const first = await prepare(composition, config).catch(async (error: unknown) => {
      await composition.app.close();
      await composition.close();
      throw error;
    });
    const running =
      config.workers > 1 ? await startWorkers(composition, parts) : await listen(composition, config);
    const metrics =
      config.metricsPort === undefined
        ? undefined
        : await serveMetrics({ host: config.host, port: config.metricsPort }, running.collectMetrics);
    return {
      url: parts.publicUrl,
      ...first,
      close: async () => {
        await metrics?.close();
        await running.close();
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

export async function makeParts(config: ServerConfig, store: OpenDatabase, log: Logger): Promise<Parts> {
  const masterKeys = await loadMasterKeys({
    fromEnv: config.masterKey,
    previousFromEnv: config.previousMasterKeys,
    file: `${store.dataDirectory}/master.key`,
  });
  return {
    config,
    publicUrl: config.publicUrl ?? `http://localhost:${config.port}`,
    connection: store.connection,
    masterKeys,
    clock: new AdjustableClock(),
    log,
  };
}

/** What one process does before any serves: the configuration file and the way of the first administrator. */
async function prepare(
  { deps, app, operatorSecret }: Composition,
  config: ServerConfig,
): Promise<Pick<RunningServer, "setUpLink" | "administrator">> {
  if (config.configuration !== undefined) {
    const answer = await app.inject({
      method: "POST",
      url: "/api/v1/configuration/apply",
      headers: { authorization: `Operator ${operatorSecret}`, "content-type": "application/yaml" },
      payload: config.configuration,
    });
    if (answer.statusCode !== 200)
      throw new Error(`The configuration file was refused. ${wordsOf(answer.body)}`);
  }
  if (config.ephemeral) return { setUpLink: null, administrator: await ensureAdministrator(deps) };
  return { setUpLink: await createSetUpLink(deps), administrator: null };
}

export interface Listening {
  close(): Promise<void>;
  collectMetrics(): Promise<string>;
}

/** A problem document for a terminal. */
function wordsOf(body: string): string {
  const { title, code, errors = [] } = JSON.parse(body) as ProblemDocument;
  return [
    `${title} (${code})`,
    ...errors.map(({ path, message }) => `  ${path}${path && ": "}${message}`),
  ].join("\n");
}

/**
 * Serves in this process.
 *
 * @param shared - with other processes. Each has a listening socket of its own (SO_REUSEPORT) where the system has
 *   that: the kernel spreads connections evenly and none is lost on its way through the primary when a process is
 *   killed. Elsewhere the primary hands connections out.
 */
export async function listen(
  composition: Composition,
  config: ServerConfig,
  shared = false,
): Promise<Listening> {
  const { app } = composition;
  const ownSocket = shared && process.platform === "linux" ? { reusePort: true, exclusive: true } : {};
  try {
    await app.listen({ port: config.port, host: config.host, ...ownSocket });
  } catch (error) {
    await composition.close();
    throw portError(error, config.port);
  }
  return {
    close: async () => {
      // A connection whose request was in flight is idle only afterwards; nobody else would close it then.
      const sweep = setInterval(() => app.server.closeIdleConnections(), SWEEP_MILLISECONDS);
      await withDeadline(app.close(), config.shutdownSeconds);
      clearInterval(sweep);
      app.server.closeAllConnections();
      await composition.close();
    },
    collectMetrics: () => composition.metrics.registry.metrics(),
  };
}

const SWEEP_MILLISECONDS = 50;

async function startWorkers(composition: Composition, parts: Parts): Promise<Listening> {
  await composition.app.close();
  await composition.close();
  return startCluster(parts);
}

async function withDeadline(closing: Promise<unknown>, seconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, seconds * 1000);
  });
  await Promise.race([closing, deadline]);
  clearTimeout(timer);
}

function portError(error: unknown, port: number): Error {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "EADDRINUSE") {
    return new Error(`Port ${port} is in use. Stop the other program, or choose another port with PORT=….`);
  }
  if (code === "EACCES")
    return new Error(`Port ${port} may not be used by this account. Choose one above 1023.`);
  return error as Error;
}

/**
 * The wished port if it is free, or any free one for 0. Asked before anything is started; processes that share a port
 * would not notice a stranger on it.
 */
function probePort(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (error) => reject(portError(error, port)));
    probe.listen(port, host, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address ? address.port : port));
    });
  });
}
