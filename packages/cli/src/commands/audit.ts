import { writeFile } from "node:fs/promises";
import type { AuditChainReport, AuditEntry } from "@ostiary/contracts";
import { Command, Option } from "commander";
import { type ConnectionOptions, withClient } from "../client.ts";
import { EXIT, Failure } from "../failure.ts";
import { connected, count } from "../options.ts";
import { answer, say, table, withProgress } from "../output.ts";

export function auditCommand(): Command {
  return new Command("audit")
    .description("Read the audit log and prove that it is unchanged")
    .addCommand(list())
    .addCommand(exportLog())
    .addCommand(verify());
}

interface ListOptions extends ConnectionOptions {
  type?: string;
  actor?: string;
  target?: string;
  outcome?: string;
  from?: string;
  to?: string;
  limit: number;
}

function list(): Command {
  return connected("list", "List audit entries, newest first", [
    "ostiary audit list --type user.login_refused --from 2026-01-01T00:00:00Z",
  ])
    .option("--type <event>", "only this kind, e.g. user.created")
    .option("--actor <id>", "only what this one did")
    .option("--target <id>", "only what was done to this")
    .addOption(new Option("--outcome <outcome>", "only these").choices(["success", "refused"]))
    .option("--from <time>", "RFC 3339")
    .option("--to <time>", "RFC 3339")
    .option("--limit <number>", "at most", count(1), 50)
    .action(async ({ limit, ...options }: ListOptions) => {
      const { type, actor: actorId, target: targetId, outcome, from, to } = options;
      const entries = await withClient(options, (client) =>
        client.list<AuditEntry>("/audit", { type, actorId, targetId, outcome, from, to }, limit),
      );
      answer(options.json, entries, () =>
        table(
          ["TIME", "EVENT", "ACTOR", "TARGET", "OUTCOME", "IP"],
          entries.map((one) => [
            one.occurredAt,
            one.type,
            one.actorId ? `${one.actorType} ${one.actorId}` : one.actorType,
            one.targetType && `${one.targetType} ${one.targetId}`,
            one.reason ? `${one.outcome}: ${one.reason}` : one.outcome,
            one.ip,
          ]),
        ),
      );
    });
}

function exportLog(): Command {
  return connected("export", "Write the whole audit log, oldest first, one JSON object a line", [
    "ostiary audit export --output audit.ndjson",
  ])
    .option("-o, --output <file>", "write to this file, readable by you only; default: standard output")
    .action(async (options: ConnectionOptions & { output?: string }) => {
      const { body } = await withClient(options, (client) =>
        withProgress("exporting", client.text("GET", "/audit/export", undefined, "application/x-ndjson")),
      );
      if (options.output === undefined) {
        process.stdout.write(body);
        return;
      }
      await writeFile(options.output, body, { mode: 0o600 }).catch((error: Error) => {
        throw new Failure(`${options.output} cannot be written: ${error.message}`);
      });
      say(`wrote ${options.output}`);
    });
}

function verify(): Command {
  return connected(
    "verify",
    "Recompute every hash of the audit log; exit code 1 when something was changed",
  ).action(async (options: ConnectionOptions) => {
    const report = await withClient(options, (client) =>
      withProgress("verifying", client.call<AuditChainReport>("GET", "/audit/verify")),
    );
    answer(options.json, report, () =>
      report.intact
        ? `unchanged: ${report.entries} entries follow from one another`
        : `CHANGED: entry ${report.brokenAt} does not follow from the one before`,
    );
    if (!report.intact) process.exitCode = EXIT.failed;
  });
}
