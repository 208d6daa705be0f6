import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { startEmbeddedPostgres } from "../platform/database/embedded/index.ts";
import { migrate } from "../platform/database/migrate.ts";
import { withClient } from "../platform/database/pool.ts";

export const TEMPLATE = "ostiary_template";

declare module "vitest" {
  export interface ProvidedContext {
    postgres: { host: string; port: number; user: string };
  }
}

/** One throw-away PostgreSQL for the run, with a migrated template that each test file clones in milliseconds. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const directory = mkdtempSync(join(tmpdir(), "ostiary-tests-"));
  const postgres = await startEmbeddedPostgres({ dataDirectory: directory, log: () => {}, durable: false });
  const { host, port, user, database } = postgres.connection;
  await withClient({ host, port, user, database }, (client) => client.execute(`create database ${TEMPLATE}`));
  await migrate({ host, port, user, database: TEMPLATE });
  project.provide("postgres", { host, port, user });
  return async () => {
    await postgres.stop();
    await rm(directory, { recursive: true, force: true });
  };
}
