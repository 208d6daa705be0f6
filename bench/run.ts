/** `npm run bench`: measures, prints a table, and writes it with all numbers to bench/results. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { bench } from "./bench.ts";
import { HELP, type Options, readOptions } from "./options.ts";
import { makeReport } from "./report.ts";
import { toMarkdown } from "./table.ts";

const RESULTS = join(import.meta.dirname, "results");

async function main(options: Options): Promise<number> {
  if (process.platform !== "linux")
    throw new Error("CPU time is read from /proc, so the bench runs on Linux only.");
  const results = await bench(options, (message) => console.error(message));
  const report = makeReport(results, options);
  const text = toMarkdown(report);
  console.log(text);
  const complete = options.only === null && !options.quick;
  if (complete || options.out !== null) {
    const folder = options.out === null ? RESULTS : resolve(options.out);
    mkdirSync(folder, { recursive: true });
    const name = join(folder, `${report.date.slice(0, 10)}-${report.commit}`);
    writeFileSync(`${name}.json`, `${JSON.stringify(report, null, 2)}\n`);
    writeFileSync(`${name}.md`, text);
    console.error(`written to ${relative(process.cwd(), name)}.md and .json`);
  }
  return report.firstError === null ? 0 : 1;
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options === null) console.log(HELP);
  else process.exitCode = await main(options);
} catch (error) {
  const isUsage =
    error instanceof Error && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
  console.error(isUsage ? `${error.message}\n\n${HELP}` : error);
  process.exitCode = 2;
}
