/** What a command answers. Only this goes to standard output. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** What a command tells the person beside its answer: progress, hints, warnings. Never on standard output. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Prints JSON, or text for a person. */
export function answer(asJson: boolean | undefined, value: unknown, text: () => string): void {
  print(asJson ? JSON.stringify(value, null, 2) : text());
}

type Cell = string | number | boolean | null | undefined;

/** Columns as wide as their widest cell; for a terminal. Control characters of stored texts are not let through. */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  if (rows.length === 0) return "none";
  const lines = [head, ...rows].map((row) => row.map((cell) => printable(cell)));
  const widths = head.map((_, column) => Math.max(...lines.map((line) => widthOf(line[column] ?? ""))));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - widthOf(cell)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Names and values below each other; objects as JSON. */
export function details(value: object): string {
  const rows = Object.entries(value).filter(([, item]) => item !== undefined);
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  return rows
    .map(
      ([name, item]) =>
        `${name.padEnd(width)}  ${printable(typeof item === "object" && item !== null ? JSON.stringify(item) : item)}`,
    )
    .join("\n");
}

function printable(cell: unknown): string {
  if (cell === null || cell === undefined) return "-";
  return String(cell).replaceAll(/\p{Cc}/gu, "?");
}

/** East Asian characters take two columns. */
function widthOf(text: string): number {
  let width = 0;
  for (const character of text)
    width +=
      /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]/u.test(
        character,
      )
        ? 2
        : 1;
  return width;
}

/** Says on the terminal that work goes on, from the second second on; gone when it is done. */
export async function withProgress<T>(title: string, work: Promise<T>): Promise<T> {
  const began = Date.now();
  const isTerminal = process.stderr.isTTY === true;
  const timer = setInterval(
    () => {
      const seconds = Math.round((Date.now() - began) / 1000);
      process.stderr.write(isTerminal ? `\r${title} … ${seconds} s` : `${title} … ${seconds} s\n`);
    },
    isTerminal ? 1_000 : 10_000,
  );
  try {
    return await work;
  } finally {
    clearInterval(timer);
    if (isTerminal) process.stderr.write("\r\u001b[K");
  }
}
