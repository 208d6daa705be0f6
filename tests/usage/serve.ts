import { connect } from "../../packages/server/src/platform/database/pool.ts";
import type { TestDatabase } from "../../packages/server/src/testing/a-database.ts";
import { aServer } from "../../packages/server/src/testing/a-server.ts";

/** A server on a database that outlives it, to be killed; says on standard output when it listens. */
const { connection, port } = JSON.parse(process.env["TEST_SERVER"] ?? "{}") as {
  connection: TestDatabase["connection"];
  port: number;
};
const database = connect({ connection, poolSize: 1, onError: () => {} });
const on: TestDatabase = { connection, database, [Symbol.asyncDispose]: () => database.close() };
const { url, operator } = await aServer({ listen: true, on, port });
console.log(JSON.stringify({ url, operator }));
