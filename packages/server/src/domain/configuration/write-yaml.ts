import { setImmediate } from "node:timers/promises";
import type { ConfigurationFile, ConfigurationTenant } from "@ostiary/contracts";
import { stringify } from "yaml";

/** The lists of a tenant, in the order in which they are applied. */
const LISTS = ["customFields", "roles", "users", "applications", "apiKeys"] as const;
/** Entries that are written before others get the thread again; one takes about a tenth of a millisecond. */
const ENTRIES_A_TURN = 100;

/** The file as YAML, in pieces: writing a large one at once would hold up every other request. */
export async function* writeYaml(file: ConfigurationFile): AsyncGenerator<string> {
  yield `version: ${file.version}\ntenants:\n`;
  for (const tenant of file.tenants) yield* writeTenant(tenant);
}

async function* writeTenant(tenant: ConfigurationTenant): AsyncGenerator<string> {
  const { customFields: _1, roles: _2, users: _3, applications: _4, apiKeys: _5, ...facts } = tenant;
  yield item(facts, "  ");
  let written = 0;
  for (const list of LISTS) {
    const entries: readonly object[] = tenant[list] ?? [];
    if (entries.length > 0) yield `    ${list}:\n`;
    for (const entry of entries) {
      yield item(entry, "      ");
      if (++written % ENTRIES_A_TURN === 0) await setImmediate();
    }
  }
}

/** One item of a list. Every text stands on one line, and what older YAML would read otherwise is quoted. */
function item(value: object, indent: string): string {
  const text = stringify(value, {
    lineWidth: 0,
    blockQuote: false,
    doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER,
    compat: "yaml-1.1",
  });
  const [first = "", ...rest] = text.trimEnd().split("\n");
  return `${[`${indent}- ${first}`, ...rest.map((line) => `${indent}  ${line}`)].join("\n")}\n`;
}
