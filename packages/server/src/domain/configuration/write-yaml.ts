import { setImmediate } from "node:timers/promises";
import type { ConfigurationFile, ConfigurationTenant } from "@ostiary/contracts";
import { Document, visit } from "yaml";

/** The lists of a tenant, in the order in which they are applied. */
const LISTS = [
  "customFields",
  "applications",
  "namespaces",
  "resources",
  "roles",
  "policies",
  "users",
  "groups",
  "organizations",
  "grants",
  "delegations",
  "apiKeys",
] as const;
/** Entries that are written before others get the thread again; one takes about a tenth of a millisecond. */
const ENTRIES_A_TURN = 100;
/**
 * Characters that YAML allows in escaped form only (YAML 1.2 §5.1, c-printable), and those which are line breaks for
 * readers of YAML 1.1. The library writes them as they are, and a strict reader then refuses the whole file.
 */
const ONLY_ESCAPED = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

/** The file as YAML, in pieces: writing a large one at once would hold up every other request. */
export async function* writeYaml(file: ConfigurationFile): AsyncGenerator<string> {
  yield `version: ${file.version}\ntenants:\n`;
  for (const tenant of file.tenants) yield* writeTenant(tenant);
}

async function* writeTenant(tenant: ConfigurationTenant): AsyncGenerator<string> {
  const facts = Object.entries(tenant).filter(([name]) => !(LISTS as readonly string[]).includes(name));
  yield item(Object.fromEntries(facts), "  ");
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
  const document = new Document(value, { compat: "yaml-1.1" });
  visit(document, {
    Scalar: (_key, node) => {
      // Older YAML has a tag for this text of which the library does not know.
      if (node.value === "=" || (typeof node.value === "string" && node.value.search(ONLY_ESCAPED) >= 0)) {
        node.type = "QUOTE_DOUBLE";
      }
    },
  });
  const text = document
    .toString({ lineWidth: 0, blockQuote: false, doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER })
    .replace(ONLY_ESCAPED, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
  const [first = "", ...rest] = text.trimEnd().split("\n");
  return `${[`${indent}- ${first}`, ...rest.map((line) => `${indent}  ${line}`)].join("\n")}\n`;
}
