import { resolve } from "node:path";
import { type RunningServer, SETTINGS, type ServerConfig, startServer } from "@ostiary/server";
import { Command } from "commander";
import { readSettings } from "../client.ts";
import { readConfigurationFile } from "../configuration-file.ts";
import { count, withExamples } from "../options.ts";
import { print, say } from "../output.ts";

interface ServeOptions {
  port?: number;
  host?: string;
  ephemeral?: boolean;
  apply?: string;
  mailDir?: string;
  clockControl?: boolean;
}

export function serveCommand(): Command {
  const summary = "Run the identity server";
  const command = new Command("serve")
    .summary(summary)
    .description(`${summary}. Settings come from environment variables; these options win.`)
    .option("--port <number>", "TCP port; 0 takes a free one", count(0, 65_535))
    .option("--host <address>", "address to listen on")
    .option("--ephemeral", "a throw-away server on a fresh database; prints one JSON line when it answers")
    .option("--apply <file>", "apply this configuration file before answering")
    .option("--mail-dir <folder>", "write mails and text messages there as files instead of sending them")
    .option("--clock-control", "with --ephemeral: adds POST /_test/clock")
    .action(serve);
  const settings = Object.values(SETTINGS).map(({ env, help }) => `  ${env}\n      ${help}`);
  return withExamples(command, [
    "ostiary serve",
    "ostiary serve --ephemeral --apply ostiary.yaml --port 4100",
    "OSTIARY_PUBLIC_URL=https://id.example.com DATABASE_URL=postgres://… ostiary serve",
  ]).addHelpText("after", `\nEnvironment variables:\n${settings.join("\n")}`);
}

async function serve(options: ServeOptions): Promise<void> {
  const config = await configOf(options);
  let running: RunningServer | undefined;
  let stopping = false;
  const stop = (signal: NodeJS.Signals) => {
    if (stopping || !running) process.exit(signal === "SIGINT" ? 130 : 143); // nobody waits twice
    stopping = true;
    if (!config.ephemeral) say("Stopping; requests in flight are finished. Once more ends it at once.");
    running.close().then(
      () => process.exit(0),
      (error: Error) => {
        say(`Stopping failed: ${error.message}`);
        process.exit(1);
      },
    );
  };
  // While it starts, a signal waits for the start: a database must not be left behind half made.
  let early: NodeJS.Signals | undefined;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (running || early) stop(signal);
      else early = signal;
    });
  }
  running = await startServer(config, config.ephemeral ? () => {} : say);
  if (early) return stop(early);
  if (config.ephemeral) print(readyLine(running));
  else say(welcome(running, config));
}

async function configOf(options: ServeOptions): Promise<ServerConfig> {
  const file = options.apply === undefined ? undefined : await readConfigurationFile(options.apply);
  return readSettings({
    ...(options.port === undefined ? {} : { port: options.port }),
    ...(options.host === undefined ? {} : { host: options.host }),
    ...(options.mailDir === undefined ? {} : { mail: `file:${resolve(options.mailDir)}` }),
    ...(file === undefined ? {} : { configuration: JSON.stringify(file) }),
    ephemeral: options.ephemeral ?? false,
    clockControl: options.clockControl ?? false,
  });
}

/** Read by programs: its form is public API (docs/configuration.md). */
function readyLine({ url, administrator }: RunningServer): string {
  return JSON.stringify({ event: "ready", url, ...(administrator ? { administrator } : {}) });
}

function welcome({ url, setUpLink }: RunningServer, config: ServerConfig): string {
  const lines = [
    "",
    `  Ostiary is ready at ${url}`,
    "",
    ...(setUpLink === null
      ? [`  Sign in           ${url}/sign-in`, `  Your account      ${url}/account`]
      : [
          "  There is no administrator yet. Open this address and choose a password; it works once, for a day:",
          "",
          `    ${setUpLink}`,
          "",
          "  or on the command line: ostiary user create --administrator --username NAME",
          "",
        ]),
    `  API reference     ${url}/api/v1/docs`,
    `  Data              ${config.databaseUrl === undefined ? config.dataDirectory : "the database of DATABASE_URL"}`,
    `  Mail              ${config.mail === "log" ? "is only written to the log; set OSTIARY_MAIL to send it" : config.mail.replace(/\/\/.*@/, "//…@")}`,
    "",
    "  Ctrl-C stops it.",
    "",
  ];
  return lines.join("\n");
}
