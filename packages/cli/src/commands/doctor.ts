import { Command } from "commander";
import { readSettings } from "../client.ts";
import { checkDatabase } from "../doctor/check-database.ts";
import { checkDataDirectory, checkMasterKey, checkNode, checkProcesses } from "../doctor/check-machine.ts";
import { checkDangers, checkMail, checkPort, checkProxies, checkPublicUrl } from "../doctor/check-network.ts";
import { broken, type Finding, type Level, ok } from "../doctor/findings.ts";
import { EXIT, UsageFailure } from "../failure.ts";
import { withExamples } from "../options.ts";
import { answer } from "../output.ts";

export function doctorCommand(): Command {
  const summary = "Check this machine's installation, and say what is wrong and what to do";
  const command = new Command("doctor")
    .summary(summary)
    .description(`${summary}. Changes nothing. Exit code 1 when something is broken.`)
    .option("--json", "answer in JSON")
    .action(async (options: { json?: boolean }) => {
      const findings = await examine();
      answer(options.json, findings, () => report(findings));
      if (findings.some(({ level }) => level === "broken")) process.exitCode = EXIT.failed;
    });
  return withExamples(command, [
    "ostiary doctor",
    "OSTIARY_PUBLIC_URL=https://id.example.com ostiary doctor --json",
  ]);
}

async function examine(): Promise<Finding[]> {
  let config: ReturnType<typeof readSettings>;
  try {
    config = readSettings();
  } catch (error) {
    if (!(error instanceof UsageFailure)) throw error;
    return [
      checkNode(),
      broken("settings", error.message, "Correct the variable; see `ostiary serve --help`."),
    ];
  }
  return [
    checkNode(),
    ok("settings", "can be read"),
    ...checkDataDirectory(config),
    checkMasterKey(config),
    ...(await checkDatabase(config)),
    checkProcesses(config),
    await checkPort(config),
    ...(await checkPublicUrl(config)),
    checkProxies(config),
    await checkMail(config),
    ...checkDangers(config),
  ];
}

const MARKS: Record<Level, string> = {
  ok: "ok     ",
  hint: "hint   ",
  warning: "WARNING",
  broken: "BROKEN ",
};

function report(findings: readonly Finding[]): string {
  const lines = findings.flatMap(({ level, about, message, remedy }) => [
    `${MARKS[level]}  ${about}: ${message}`,
    ...(remedy === undefined ? [] : [`         → ${remedy}`]),
  ]);
  const count = (level: Level) => findings.filter((finding) => finding.level === level).length;
  const [wrong, doubtful] = [count("broken"), count("warning")];
  const verdict = wrong + doubtful === 0 ? "All is well." : `${wrong} broken, ${doubtful} to be looked at.`;
  return [...lines, "", verdict].join("\n");
}
