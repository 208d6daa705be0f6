import { readConfig, startServer } from "../../packages/server/src/index.ts";

/** A real server in a process of its own, with the settings of its environment; says where it is on standard output. */
const server = await startServer(
  readConfig(process.env, { ephemeral: true, configuration: process.env.TEST_CONFIGURATION }),
);
console.log(JSON.stringify({ url: server.url }));
process.on("SIGTERM", () => {
  server.close().then(
    () => process.exit(0),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
