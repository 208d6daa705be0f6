/**
 * A process for the crash tests: runs the embedded database in the directory given and writes rows as fast as it can
 * on four connections, until it is killed; SIGTERM ends it normally. Prints `ready` and then every number whose row has been acknowledged.
 */
import { Client } from "pg";
import { startEmbeddedPostgres } from "../index.ts";

const dataDirectory = process.argv[2] ?? "";
const writing = process.argv[3] !== "idle";
const { connection } = await startEmbeddedPostgres({
  dataDirectory,
  log: (message) => process.stderr.write(`${message}\n`),
});
const clients = [1, 2, 3, 4].map(() => new Client(connection));
for (const client of clients) {
  client.on("error", () => process.exit(1));
  await client.connect();
}
await clients[0]?.query(
  "create table if not exists writes (number bigint generated always as identity, word text)",
);
process.once("SIGTERM", () => process.exit(0));
process.stdout.write("ready\n");
if (writing) await Promise.all(clients.map(write));
else setInterval(() => undefined, 60_000);

async function write(client: Client): Promise<never> {
  for (;;) {
    const { rows } = await client.query<{ number: string }>(
      "insert into writes (word) values (repeat(md5(random()::text), 10)) returning number",
    );
    process.stdout.write(`${rows[0]?.number}\n`);
  }
}
