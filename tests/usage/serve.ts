import { connect } from "../../packages/server/src/platform/database/pool.ts";
import type { TestDatabase } from "../../packages/server/src/testing/a-database.ts";
import { aServer } from "../../packages/server/src/testing/a-server.ts";

/** A server on a database that outlives it, to be killed; says on standard output when it listens. */
const {
  connection,
  port,
  config = {},
  advance = 0,
} = JSON.parse(process.env["TEST_SERVER"] ?? "{}") as {
  connection: TestDatabase["connection"];
  port: number;
  config?: NonNullable<Parameters<typeof aServer>[0]>["config"];
  /** Seconds that its clock is ahead. */
  advance?: number;
};
const database = connect({ connection, poolSize: 1, onError: () => {} });
const on: TestDatabase = { connection, database, [Symbol.asyncDispose]: () => database.close() };
const { url, operator, clock } = await aServer({ listen: true, on, port, config });
clock.advance(advance);
console.log(JSON.stringify({ url, operator }));
