import type { Fact, Line, Report } from "./report.ts";

const HEAD = [
  "operation",
  "users / tenants",
  "per CPU-second",
  "rounds",
  "per second",
  "p50 / p99 ms",
  "limit",
  "ratio",
  "goal",
  "",
];
/** Columns of words; the others are numbers and stand at the right. */
const LEFT: ReadonlySet<number> = new Set([0, 1, 6, 9]);

/** The report as Markdown, which is also what the terminal shows. */
export function toMarkdown(report: Report): string {
  const { environment, lines, facts, firstError } = report;
  const parts = [
    `# Bench of ${report.commit}, ${report.date.slice(0, 16).replace("T", " ")} UTC`,
    Object.entries(environment)
      .map(([name, value]) => `- ${name}: ${value}`)
      .join("\n"),
    grid(HEAD, lines.map(cellsOf), LEFT),
  ];
  if (facts.length > 0) {
    parts.push(grid(["what", "measured", "goal", ""], facts.map(factCells), new Set([0, 3])));
  }
  const errors = lines.reduce((sum, line) => sum + line.errors, 0);
  parts.push(
    errors === 0 ? "No request failed." : `${errors} requests FAILED, the first with: ${firstError}`,
  );
  return `${parts.join("\n\n")}\n`;
}

const reached = (yes: boolean): string => (yes ? "reached" : "MISSED");
const count = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString("en-US") : value.toFixed(1);

function cellsOf(line: Line): string[] {
  const { size, comparison, range } = line;
  const goal = comparison?.goal ?? null;
  return [
    line.title,
    size ? `${count(size.users)} / ${size.tenants.toLocaleString("en-US")}` : "",
    count(line.perCpuSecond),
    `${count(range[0])}–${count(range[1])}`,
    count(line.perSecond),
    line.p99 > 0 ? `${line.p50.toFixed(1)} / ${line.p99.toFixed(1)}` : "",
    comparison?.limit ?? "",
    comparison ? comparison.ratio.toFixed(2) : "",
    goal === null ? "" : `≥ ${goal}`,
    comparison && goal !== null ? reached(comparison.ratio >= goal) : "",
  ];
}

function factCells(fact: Fact): string[] {
  return [fact.title, fact.value, fact.goal, reached(fact.reached)];
}

function grid(head: string[], rows: string[][], left: ReadonlySet<number>): string {
  const widths = head.map((title, column) =>
    Math.max(3, title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: string[]) =>
    `| ${cells.map((cell, column) => (left.has(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join(" | ")} |`;
  const rule = widths.map((width, column) =>
    left.has(column) ? "-".repeat(width) : `${"-".repeat(width - 1)}:`,
  );
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}
