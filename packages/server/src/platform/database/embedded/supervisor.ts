import { existsSync } from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { type Binaries, locateBinaries } from "./binaries.ts";
import { ensureCluster, SUPERUSER, writeSettings } from "./cluster.ts";
import { EmbeddedPostgresError } from "./errors.ts";
import { type Home, lastLogLines, makeDataDirectory, prepareHome, remakeSocketDirectory } from "./home.ts";
import { withDirectoryLock } from "./lock.ts";
import {
  askToStop,
  disarmPidFile,
  type Postmaster,
  settle,
  startPostmaster,
  stopPostmaster,
} from "./postmaster.ts";

export interface EmbeddedPostgresOptions {
  /** The server's data directory; the database takes the folder `postgres` in it. */
  dataDirectory: string;
  log: (message: string) => void;
  /** OSTIARY_POSTGRES_BIN: the bin directory of a system PostgreSQL, 15 or newer. Default: the npm package's. */
  binDirectory?: string;
  /** Default true. False only for throw-away test servers: a power cut may then cost everything. */
  durable?: boolean;
}

export interface EmbeddedPostgres {
  /** Stays the same for the life of the process, also when the server is started again. No password. */
  connection: { host: string; user: string; database: string; port: number };
  /** Whether a server that was running already was taken over. */
  adopted: boolean;
  /** The folder that holds everything of this database. */
  directory: string;
  /** Ends the server in order and waits for it; leaves it to the others if more processes of ours use it. */
  stop(): Promise<void>;
}

const DATABASE = "ostiary";
/** Advisory lock that every supervisor holds, shared, on its watching connection: who gets it alone is the last one. */
const PRESENCE = 0x057_1a87;
const LOCK_PATIENCE = 330_000; // longer than the longest recovery
const START_ATTEMPTS = 100; // with pauses of 100 ms, for what passes
const SOCKET_CHECK_INTERVAL = 5_000;

/**
 * Runs the server's own PostgreSQL and keeps it running.
 *
 * A live server that an earlier, killed process left behind is adopted; a dead one is recovered; one that dies later
 * is started again. Several processes may do this at once on one data directory: one starts, the others adopt, the
 * last one stops it. A normal exit of the process stops it too; after kill -9 it stays and is adopted.
 *
 * @throws EmbeddedPostgresError when it cannot run here; the message says what to do.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const durable = options.durable ?? true;
  const { log, dataDirectory, binDirectory } = options;
  const place = await findPlace({ log, dataDirectory, binDirectory });
  const began = performance.now();
  let watch = await attend(place, durable, log, true);
  log(
    `the database ${watch.adopted ? "was running already" : "is running"} (${Math.round(performance.now() - began)} ms), in ${place.home.root}`,
  );

  let stopping = false;
  let restarting: Promise<void> = Promise.resolve();
  const supervise = () => {
    watch.lost.then(() => {
      if (stopping) return;
      restarting = attendAgain(place, durable, log, () => stopping).then((next) => {
        if (!next) return;
        watch = next;
        supervise();
      });
    });
  };
  supervise();

  const socketCheck = setInterval(() => {
    // A server whose socket file was removed runs on and nobody can reach it; it has to be started again.
    if (existsSync(socketFile(watch.postmaster)) || !askToStop(place.home, watch.postmaster.pid)) return;
    log("the database's socket has been removed; starting the database again");
  }, SOCKET_CHECK_INTERVAL).unref();
  const onExit = () => askToStop(place.home, watch.postmaster.pid);
  process.once("exit", onExit);

  const stop = async () => {
    stopping = true;
    clearInterval(socketCheck);
    process.off("exit", onExit);
    await restarting;
    await leave(place.home, watch, log);
  };
  let stopped: Promise<void> | undefined;
  const { socketDirectory: host, port } = watch.postmaster;
  return {
    connection: { host, user: SUPERUSER, database: DATABASE, port },
    adopted: watch.adopted,
    directory: place.home.root,
    stop: () => (stopped ??= stop()),
  };
}

interface Place {
  home: Home;
  binaries: Binaries;
}

async function findPlace(options: {
  log: (message: string) => void;
  dataDirectory: string;
  binDirectory: string | undefined;
}): Promise<Place> {
  const dataDirectory = makeDataDirectory(options.dataDirectory);
  return withDirectoryLock(dataDirectory, LOCK_PATIENCE, async () => {
    const home = prepareHome(dataDirectory, options.log);
    const { log, binDirectory } = options;
    return {
      home,
      binaries: locateBinaries({ account: home.account, spare: home.spare, log, binDirectory }),
    };
  });
}

/** A server that answers, and the connection that tells when it no longer does. */
interface Watch {
  postmaster: Postmaster;
  adopted: boolean;
  client: Client;
  socket: Socket;
  lost: Promise<void>;
}

/** Adopts the server or starts it, under the lock, and stays connected to it. */
function attend(
  place: Place,
  durable: boolean,
  log: (message: string) => void,
  first: boolean,
): Promise<Watch> {
  const { home, binaries } = place;
  return withDirectoryLock(home.root, LOCK_PATIENCE, async () => {
    for (let attempt = 1; attempt <= START_ATTEMPTS; attempt++) {
      const running = await settle(home);
      const adopted = running && (await adopt(place, running, durable, log, first));
      if (adopted) return adopted;
      await ensureCluster(home, binaries, { durable, log });
      writeSettings(home, binaries, durable);
      remakeSocketDirectory(home);
      await disarmPidFile(home);
      const started = await startPostmaster(home, binaries);
      if (started) return connect(started, false);
      await sleep(100);
    }
    throw new EmbeddedPostgresError(`PostgreSQL did not start on ${home.cluster}: ${lastLogLines(home)}`);
  });
}

/** Takes a running server over; one that does not answer, or is not what we would start, is ended instead. */
async function adopt(
  place: Place,
  postmaster: Postmaster,
  durable: boolean,
  log: (message: string) => void,
  first: boolean,
): Promise<Watch | undefined> {
  try {
    const watch = await connect(postmaster, true);
    // Only a process that begins asks for its own release: two of different releases would else replace it in turns.
    const why = await unfit(watch.client, durable, first ? place.binaries.version : undefined);
    if (why === undefined) return watch;
    log(`the running database ${why}; starting it again`);
    await watch.client.end();
  } catch (error) {
    log(`the running database (pid ${postmaster.pid}) does not answer (${String(error)}); starting it again`);
  }
  await stopPostmaster(place.home, postmaster.pid);
  return undefined;
}

/** A server of another release may have lost its program files in the upgrade. */
async function unfit(
  client: Client,
  durable: boolean,
  wanted: string | undefined,
): Promise<string | undefined> {
  const { rows } = await client.query<{ fsync: string; version: string }>(
    "select current_setting('fsync') as fsync, current_setting('server_version') as version",
  );
  const version = rows[0]?.version.split(" ")[0];
  if (wanted && version !== wanted) return `is PostgreSQL ${version}, and the programs are ${wanted}`;
  if (durable && rows[0]?.fsync !== "on") return "does not write to disk at every commit";
  return undefined;
}

async function connect(postmaster: Postmaster, adopted: boolean): Promise<Watch> {
  const socket = new Socket();
  const client = new Client({
    stream: () => socket,
    host: postmaster.socketDirectory,
    port: postmaster.port,
    user: SUPERUSER,
    database: "postgres",
    application_name: "ostiary supervisor",
    connectionTimeoutMillis: 10_000,
  });
  const lost = new Promise<void>((resolve) => {
    client.once("end", () => resolve());
    client.on("error", () => resolve());
  });
  await client.connect();
  try {
    await client.query("select pg_advisory_lock_shared($1)", [PRESENCE]);
    const { rowCount } = await client.query("select from pg_database where datname = $1", [DATABASE]);
    if (rowCount === 0) await client.query(`create database ${DATABASE}`);
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
  socket.unref(); // watching alone must not keep the process alive
  return { postmaster, adopted, client, socket, lost };
}

/** Tries until it succeeds or the process stops; a full disk, for one, may be emptied again. */
async function attendAgain(
  place: Place,
  durable: boolean,
  log: (message: string) => void,
  stopping: () => boolean,
): Promise<Watch | undefined> {
  log("the database has gone away; starting it again");
  for (let pause = 100; !stopping(); pause = Math.min(pause * 2, 5_000)) {
    try {
      const watch = await attend(place, durable, log, false);
      log("the database is running again");
      return watch;
    } catch (error) {
      log(error instanceof EmbeddedPostgresError ? error.message : String(error));
      await sleep(pause);
    }
  }
  return undefined;
}

async function leave(home: Home, watch: Watch, log: (message: string) => void): Promise<void> {
  watch.socket.ref();
  try {
    await watch.client.query("select pg_advisory_unlock_shared($1)", [PRESENCE]);
    const { rows } = await watch.client.query<{ alone: boolean }>(
      "select pg_try_advisory_lock($1) as alone",
      [PRESENCE],
    );
    if (rows[0]?.alone === false) {
      await watch.client.end();
      log("the database is left running, as another process uses it");
      return;
    }
  } catch {
    // The connection is lost, so the server is ending or gone: make sure of it.
  }
  await stopPostmaster(home, watch.postmaster.pid);
  await watch.client.end().catch(() => undefined);
}

function socketFile(postmaster: Postmaster): string {
  return join(postmaster.socketDirectory, `.s.PGSQL.${postmaster.port}`);
}
