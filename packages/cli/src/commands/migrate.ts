import { migrateDatabase, rekey } from "@ostiary/server";
import { Command } from "commander";
import { localConfig } from "../client.ts";
import { withExamples } from "../options.ts";
import { answer, say, withProgress } from "../output.ts";

export function migrateCommand(): Command {
  const summary = "Bring the database to this version's schema, or seal its secrets under a new master key";
  const command = new Command("migrate")
    .summary(summary)
    .description(
      `${summary}. \`ostiary serve\` migrates by itself; this is for who wants to do it before, with other rights.`,
    )
    .option(
      "--rekey",
      "seal all secrets under a new master key: the one in OSTIARY_MASTER_KEY, with the old one in " +
        "OSTIARY_PREVIOUS_MASTER_KEYS, else a new one in the key file. Restart the servers afterwards",
    )
    .option("--json", "answer in JSON")
    .action(async (options: { rekey?: boolean; json?: boolean }) => {
      const config = localConfig();
      if (options.rekey) {
        const resealed = await withProgress("sealing", rekey(config, say));
        return answer(
          options.json,
          { resealed },
          () => `${resealed} secrets are sealed under the new master key`,
        );
      }
      const report = await withProgress("migrating", migrateDatabase(config, say));
      return answer(options.json, report, () =>
        report.applied.length === 0
          ? `nothing to do: the schema is at version ${report.version}`
          : `applied ${report.applied.join(", ")}; the schema is at version ${report.version}`,
      );
    });
  return withExamples(command, ["ostiary migrate", "ostiary migrate --rekey"]);
}
