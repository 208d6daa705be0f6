import { Command, InvalidArgumentError } from "commander";

/** A command that talks to an installation, with the options that say which. */
export function connected(name: string, summary: string, examples: readonly string[] = []): Command {
  return withExamples(new Command(name).summary(summary).description(summary), examples)
    .option("--url <url>", "a running server (OSTIARY_URL); default: this machine's installation")
    .option("--key <key>", "API key for --url (OSTIARY_KEY)")
    .option("--tenant <slug>", "the tenant to work in; default: the key's, or `default`")
    .option("--json", "answer in JSON");
}

/** Shown below the options. */
export function withExamples(command: Command, examples: readonly string[]): Command {
  if (examples.length === 0) return command;
  return command.addHelpText("after", `\nExamples:\n${examples.map((line) => `  $ ${line}`).join("\n")}`);
}

/** A whole number from `least` on, for an option. */
export function count(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (!/^\d+$/.test(text) || number < least || number > most) {
      throw new InvalidArgumentError(`must be a whole number from ${least} to ${most}`);
    }
    return number;
  };
}

/** Collects an option that may be given several times. */
export function collect(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}
