import { readFileSync } from "node:fs";
import { Command } from "commander";
import { accessCommand } from "./commands/access.ts";
import { appCommand } from "./commands/app.ts";
import { auditCommand } from "./commands/audit.ts";
import { benchCommand } from "./commands/bench.ts";
import { applyCommand, exportCommand } from "./commands/configuration.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { groupCommand } from "./commands/group.ts";
import { importCommand } from "./commands/import.ts";
import { keyCommand } from "./commands/key.ts";
import { migrateCommand } from "./commands/migrate.ts";
import { organizationCommand } from "./commands/organization.ts";
import { serveCommand } from "./commands/serve.ts";
import { serviceCommand } from "./commands/service.ts";
import { sessionCommand } from "./commands/session.ts";
import { usageCommand } from "./commands/usage.ts";
import { userCommand } from "./commands/user.ts";
import { webhookCommand } from "./commands/webhook.ts";
import { EXIT } from "./failure.ts";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  version: string;
};

/** `ostiary` with all its commands. */
export function createProgram(): Command {
  const program = new Command("ostiary")
    .description("The keeper of the door: one identity centre that an organisation hosts itself")
    .version(version)
    .showHelpAfterError("(add --help for what there is)")
    .addHelpText(
      "after",
      `\nWithout --url, commands work on the installation of this machine: the data directory or DATABASE_URL of the\n` +
        `environment, beside a running server or without one. With --url and an API key they work on any server.\n\n` +
        `Exit codes: ${EXIT.ok} done, ${EXIT.failed} failed, ${EXIT.usage} called wrongly.`,
    );
  const commands = [
    serveCommand(),
    migrateCommand(),
    applyCommand(),
    exportCommand(),
    importCommand(),
    userCommand(),
    appCommand(),
    groupCommand(),
    organizationCommand(),
    accessCommand(),
    keyCommand(),
    sessionCommand(),
    webhookCommand(),
    serviceCommand(),
    usageCommand(),
    auditCommand(),
    doctorCommand(),
    benchCommand(),
  ];
  for (const command of commands) program.addCommand(command);
  for (const command of everyCommand(program)) command.exitOverride();
  return program;
}

function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}
