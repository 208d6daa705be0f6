import { writeFile } from "node:fs/promises";
import type { ConfigurationFile, ConfigurationResult } from "@ostiary/contracts";
import { type Command, Option } from "commander";
import { stringify } from "yaml";
import { type ConnectionOptions, queryOf, withClient } from "../client.ts";
import { readConfigurationFile } from "../configuration-file.ts";
import { EXIT, Failure } from "../failure.ts";
import { connected } from "../options.ts";
import { answer, print, say, withProgress } from "../output.ts";

export function applyCommand(): Command {
  return connected("apply", "Make tenants, applications, roles, users and keys what a file says", [
    "ostiary apply ostiary.yaml --plan",
    "ostiary apply ostiary.yaml",
    "ostiary export | ostiary apply -",
  ])
    .argument("<file>", "configuration file, YAML or JSON; - reads standard input")
    .option("--plan", "only show what would change; exit code 0 when nothing would, else 1")
    .action(async (path: string, options: ConnectionOptions & { plan?: boolean }) => {
      const file = await readConfigurationFile(path);
      await withClient(options, async (client) => {
        const plan = await withProgress(
          "planning",
          client.call<ConfigurationResult>("POST", "/configuration/plan", file),
        );
        if (options.plan) {
          answer(options.json, plan, () => describe(plan, "would be"));
          if (plan.changes.length > 0) process.exitCode = EXIT.failed;
          return;
        }
        if (!options.json && plan.changes.length > 0) say(`${describe(plan, "to be")}\n`);
        const result = await withProgress(
          "applying",
          client.call<ConfigurationResult>("POST", "/configuration/apply", file),
        );
        answer(options.json, result, () => [summary(result), ...secretsOf(result)].join("\n"));
      });
    });
}

function describe({ changes, unchanged }: ConfigurationResult, verb: string): string {
  const lines = changes.map(
    ({ tenant, kind, name, action, fields }) =>
      `${action === "create" ? "+" : "~"} ${tenant}: ${kind} ${name}${action === "update" ? ` (${fields.join(", ")})` : ""}`,
  );
  const created = changes.filter(({ action }) => action === "create").length;
  return [
    ...lines,
    `${created} ${verb} created, ${changes.length - created} ${verb} changed, ${unchanged} unchanged`,
  ].join("\n");
}

function summary({ changes, unchanged }: ConfigurationResult): string {
  const created = changes.filter(({ action }) => action === "create").length;
  return `${created} created, ${changes.length - created} changed, ${unchanged} unchanged`;
}

function secretsOf({ generated }: ConfigurationResult): string[] {
  if (generated.length === 0) return [];
  const lines = generated.map(({ tenant, kind, name, secret }) => `${tenant}: ${kind} ${name}: ${secret}`);
  return ["", "Generated, and shown this once:", ...lines];
}

export function exportCommand(): Command {
  return connected("export", "Write everything as a configuration file", [
    "ostiary export --output ostiary.yaml",
    "ostiary export --only shop-tenant --no-credentials",
  ])
    .addOption(new Option("--format <format>", "of the file").choices(["yaml", "json"]).default("yaml"))
    .option("--only <slug>", "only this tenant; default: all that you may see")
    .option("--no-credentials", "leave out the hashes of passwords, secrets and keys")
    .option("-o, --output <file>", "write to this file, readable by you only; default: standard output")
    .action(async (options: ExportOptions) => {
      const query = queryOf({
        format: "json",
        tenant: options.only,
        credentials: options.credentials ? undefined : "false",
      });
      const file = await withClient(options, (client) =>
        withProgress("exporting", client.call<ConfigurationFile>("GET", `/configuration/export${query}`)),
      );
      const asJson = options.json || options.format === "json";
      const text = asJson
        ? JSON.stringify(file, null, 2)
        : stringify(file, { lineWidth: 0, compat: "yaml-1.1" }).trimEnd();
      if (options.output === undefined) return print(text);
      await writeFile(options.output, `${text}\n`, { mode: 0o600 }).catch((error: Error) => {
        throw new Failure(`${options.output} cannot be written: ${error.message}`);
      });
      say(`wrote ${options.output}`);
    });
}

interface ExportOptions extends ConnectionOptions {
  format: "yaml" | "json";
  only?: string;
  credentials: boolean;
  output?: string;
}
