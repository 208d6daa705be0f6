import { ConfigurationFile } from "@ostiary/contracts";
import { SETTINGS } from "@ostiary/server";

/** What we need of a JSON Schema. */
interface Schema {
  type?: string;
  enum?: readonly string[];
  const?: unknown;
  anyOf?: readonly Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: readonly string[];
  description?: string;
  minimum?: number;
  maximum?: number;
  maxLength?: number;
}

/** The generated parts of docs/configuration.md by name. */
export function configurationReference(): Record<string, string> {
  return { settings: settingsTable(), file: fileTables() };
}

function settingsTable(): string {
  const rows = Object.values(SETTINGS).map(({ env, help, fallback }) => {
    const value = env === "OSTIARY_DATA_DIRECTORY" ? "./data" : fallback;
    const shown = value === undefined || (Array.isArray(value) && value.length === 0) ? "" : `\`${value}\``;
    return [`\`${env}\``, cell(help), shown];
  });
  return table(["variable", "meaning", "default"], rows);
}

const SECTIONS: [title: string, path: string[]][] = [
  ["The file", []],
  ["Tenant", ["tenants"]],
  ["`settings` of a tenant", ["tenants", "settings"]],
  ["Custom field", ["tenants", "customFields"]],
  ["Namespace", ["tenants", "namespaces"]],
  ["Resource", ["tenants", "resources"]],
  ["Role", ["tenants", "roles"]],
  ["Policy", ["tenants", "policies"]],
  ["Statement of a policy", ["tenants", "policies", "statements"]],
  ["Condition of a statement", ["tenants", "policies", "statements", "conditions"]],
  ["User", ["tenants", "users"]],
  ["`profile` of a user", ["tenants", "users", "profile"]],
  ["`preferences` of a user", ["tenants", "users", "preferences"]],
  ["Application", ["tenants", "applications"]],
  ["Group", ["tenants", "groups"]],
  ["Organization", ["tenants", "organizations"]],
  ["Unit of an organization (with units of its own)", ["tenants", "organizations", "units"]],
  ["Grant", ["tenants", "grants"]],
  ["Delegation", ["tenants", "delegations"]],
  ["API key", ["tenants", "apiKeys"]],
  ["Webhook", ["tenants", "webhooks"]],
  ["Billing rule", ["tenants", "billingRules"]],
];

function fileTables(): string {
  return SECTIONS.map(([title, path]) => {
    const schema = path.reduce(
      (at, name) => inner(at.properties?.[name] ?? {}),
      ConfigurationFile as unknown as Schema,
    );
    const rows = fieldsOf(schema, "").map(({ name, field, required }) => [
      `\`${name}\`${required ? " (required)" : ""}`,
      cell(typeOf(field)),
      cell(descriptionOf(field)),
    ]);
    return `#### ${title}\n\n${table(["field", "value", "meaning"], rows)}`;
  }).join("\n\n");
}

/** Groups without a section of their own are laid out as `group.field`. */
function fieldsOf(schema: Schema, prefix: string): { name: string; field: Schema; required: boolean }[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const isOwnSection = SECTIONS.some(([, path]) => path.at(-1) === name);
    const group = plain(field);
    if (group.properties && !isOwnSection) return fieldsOf(group, `${prefix}${name}.`);
    return [{ name: prefix + name, field, required: schema.required?.includes(name) ?? false }];
  });
}

/** Of an array its items; without null. */
function inner(schema: Schema): Schema {
  const bare = plain(schema);
  return bare.items ? plain(bare.items) : bare;
}

function plain(schema: Schema): Schema {
  const some = schema.anyOf?.filter(({ type }) => type !== "null");
  return some?.length === 1 ? (some[0] ?? schema) : schema;
}

function descriptionOf(schema: Schema): string {
  return schema.description ?? plain(schema).description ?? plain(schema).items?.description ?? "";
}

function typeOf(schema: Schema): string {
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(" or ");
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.enum) return schema.enum.map((word) => `\`${word}\``).join(", ");
  if (schema.items) return schema.items.properties ? "a list" : `a list of ${typeOf(schema.items)}`;
  if (schema.properties) return `{ ${Object.keys(schema.properties).join(", ")} }`;
  if (schema.type === "integer") return numbers(schema);
  if (schema.type === "string")
    return schema.maxLength ? `text, at most ${schema.maxLength} characters` : "text";
  if (schema.type === "object") return "an object";
  return schema.type ?? "any";
}

function numbers({ minimum, maximum }: Schema): string {
  if (minimum === undefined || maximum === undefined || maximum === Number.MAX_SAFE_INTEGER) {
    return minimum === undefined ? "a whole number" : `a whole number from ${minimum}`;
  }
  return `${minimum} to ${maximum}`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}
