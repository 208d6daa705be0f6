import { compose } from "./compose.ts";
import type { ServerConfig } from "./config.ts";
import { makeParts } from "./main.ts";
import { openDatabase } from "./platform/database/open-database.ts";
import { connect } from "./platform/database/pool.ts";
import {
  beginFileRekey,
  finishFileRekey,
  loadMasterKeys,
  resealEverything,
} from "./platform/secrets/rekey.ts";
import { createLogger } from "./platform/telemetry/logger.ts";

export interface LocalAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** API v1 of this machine's installation without HTTP, with all rights: for whoever may read its data anyway. */
export interface LocalServer {
  request(
    method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
    path: string,
    options?: { headers?: Record<string, string>; body?: string | Buffer },
  ): Promise<LocalAnswer>;
  close(): Promise<void>;
}

/**
 * Opens the installation of these settings, beside a running server or without one (the embedded database is then
 * started for the time being). Requests go through the same routes and rules as over HTTP and are audited as
 * `operator`.
 *
 * @throws Error whose message says what is wrong and what to do.
 */
export async function openLocal(
  config: ServerConfig,
  say: (message: string) => void = () => {},
): Promise<LocalServer> {
  const store = await openDatabase(config, say);
  try {
    const parts = await makeParts(config, store, createLogger(config.logLevel));
    const composition = await compose(parts);
    return {
      request: async (method, path, { headers = {}, body } = {}) => {
        const answer = await composition.app.inject({
          method,
          url: path,
          headers: { ...headers, authorization: `Operator ${composition.operatorSecret}` },
          ...(body === undefined ? {} : { payload: body }),
        });
        const flat = Object.entries(answer.headers).map(([name, value]) => [name, String(value)]);
        return { status: answer.statusCode, headers: Object.fromEntries(flat), body: answer.body };
      },
      close: async () => {
        await composition.app.close();
        await composition.close();
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Brings the database to this version's schema and says what was done. */
export async function migrateDatabase(
  config: ServerConfig,
  say: (message: string) => void = () => {},
): Promise<{ applied: string[]; version: number }> {
  const store = await openDatabase(config, say);
  await store.close();
  return store.migrations;
}

/**
 * Seals every secret in the database under a new master key. With `OSTIARY_MASTER_KEY` the new key is that one and
 * the old one is in `OSTIARY_PREVIOUS_MASTER_KEYS`; with a key file, a new key is made and the file replaced. May be
 * repeated after a crash. Running servers must be started again afterwards.
 *
 * @returns how many values were sealed anew.
 */
export async function rekey(
  config: ServerConfig,
  say: (message: string) => void = () => {},
): Promise<number> {
  const store = await openDatabase(config, say);
  const file = `${store.dataDirectory}/master.key`;
  try {
    if (config.masterKey === undefined) await beginFileRekey(file);
    const keys = await loadMasterKeys({
      fromEnv: config.masterKey,
      previousFromEnv: config.previousMasterKeys,
      file,
    });
    const database = connect({ connection: store.connection, poolSize: 2, onError: () => {} });
    try {
      const count = await resealEverything(database, keys);
      if (config.masterKey === undefined) await finishFileRekey(file);
      return count;
    } finally {
      await database.close();
    }
  } finally {
    await store.close();
  }
}
