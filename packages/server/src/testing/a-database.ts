import { inject } from "vitest";
import { newId } from "../kernel/identifiers.ts";
import { type ConnectionSettings, connect, type PgDatabase, withClient } from "../platform/database/pool.ts";
import { TEMPLATE } from "./global-set-up.ts";

export interface TestDatabase extends AsyncDisposable {
  database: PgDatabase;
  connection: Exclude<ConnectionSettings["connection"], string>;
}

/** A database of its own for a test (file): a clone of the migrated template, dropped at the end. */
export async function aDatabase(): Promise<TestDatabase> {
  const server = inject("postgres");
  const name = `test_${newId(new Date())}`;
  const maintenance = { ...server, database: "postgres" };
  await withClient(maintenance, (client) => client.execute(`create database ${name} template ${TEMPLATE}`));
  const connection = { ...server, database: name };
  const database = connect({ connection, poolSize: 8, onError: () => {} });
  return {
    database,
    connection,
    [Symbol.asyncDispose]: async () => {
      await database.close();
      await withClient(maintenance, (client) =>
        client.execute(`drop database if exists ${name} with (force)`),
      );
    },
  };
}
