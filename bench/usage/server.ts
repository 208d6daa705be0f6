/** A server with a durable database of its own and what the measurements need; from its sources. */
import { readConfig, startServer } from "@ostiary/server";
import { tell } from "../child.ts";

const configuration = process.env["BENCH_CONFIGURATION"];
const server = await startServer(readConfig(process.env, { configuration, logLevel: "warn" }));
process.once("SIGTERM", () => void server.close().then(() => process.exit(0)));
tell({ ready: true });
