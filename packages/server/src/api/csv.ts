/**
 * A table (RFC 4180) of rows that all have the fields of the first one. A text that a spreadsheet would take for a
 * formula gets an apostrophe in front.
 */
export function toCsv(rows: readonly object[]): string {
  const [first] = rows;
  if (!first) return "";
  const names = Object.keys(first);
  const lines = rows.map((row) => {
    const values = new Map<string, unknown>(Object.entries(row));
    return names.map((name) => cell(values.get(name))).join(",");
  });
  return `${[names.join(","), ...lines].join("\r\n")}\r\n`;
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value !== "string") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
