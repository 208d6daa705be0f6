/** The product as it was built, in a process of its own. */
import { readConfig, startServer } from "@ostiary/server";
import { tell } from "../child.ts";

const server = await startServer(readConfig(process.env));
process.once("SIGTERM", () => void server.close().then(() => process.exit(0)));
tell({ ready: true });
