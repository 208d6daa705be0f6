import { ERRORS } from "@ostiary/contracts";
import { escapeHtml } from "../kernel/escape-html.ts";

/** The parts of an OpenAPI 3.1 document that the page shows. */
interface Schema {
  $ref?: string;
  type?: string | string[];
  title?: string;
  description?: string;
  enum?: unknown[];
  const?: unknown;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
  default?: unknown;
  minimum?: number;
  maximum?: number;
  maxLength?: number;
  maxItems?: number;
  format?: string;
}

interface Operation {
  operationId?: string;
  summary?: string;
  description?: string;
  tags?: string[];
  security?: object[];
  parameters?: { name: string; in: string; required?: boolean; description?: string; schema?: Schema }[];
  requestBody?: { content: Record<string, { schema?: Schema }> };
  responses?: Record<string, { description?: string; content?: Record<string, { schema?: Schema }> }>;
}

interface Document {
  info: { title: string; version: string; description?: string };
  paths?: Record<string, Record<string, Operation>>;
  components?: { schemas?: Record<string, Schema> };
}

const MAX_DEPTH = 4;

/**
 * The reference of the API as one HTML page: no script, nothing loaded from elsewhere, searchable with the browser's
 * own search.
 */
export function renderReference(document: Document): string {
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const tags = [...new Set(operations.map(({ operation }) => operation.tags?.[0] ?? "Other"))].sort();
  const sections = tags.map((tag) => {
    const own = operations.filter(({ operation }) => (operation.tags?.[0] ?? "Other") === tag);
    const items = own.map(({ path, method, operation }) =>
      renderOperation(document, path, method, operation),
    );
    return {
      tag,
      own,
      html: `<section><h2 id="${slug(tag)}">${escapeHtml(tag)}</h2>${items.join("")}</section>`,
    };
  });
  const links = sections.map(({ tag, own }) => {
    const inner = own.map(
      ({ operation }) =>
        `<li><a href="#${escapeHtml(operation.operationId ?? "")}">${escapeHtml(operation.summary ?? "")}</a></li>`,
    );
    return `<li><a href="#${slug(tag)}">${escapeHtml(tag)}</a><ul>${inner.join("")}</ul></li>`;
  });
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(document.info.title)}</title><style>${STYLE}</style></head><body>
<nav aria-label="Operations"><p><strong>${escapeHtml(document.info.title)}</strong> ${escapeHtml(document.info.version)}</p>
<p><a href="openapi.json">OpenAPI 3.1 document</a></p><ul>${links.join("")}<li><a href="#errors">Errors</a></li></ul></nav>
<main><h1>${escapeHtml(document.info.title)}</h1>${paragraphs(document.info.description ?? "")}${sections.map((s) => s.html).join("")}${renderErrors()}</main>
</body></html>`;
}

/** The registry: where the `type` of every problem document leads. */
function renderErrors(): string {
  const rows = Object.entries(ERRORS).map(
    ([code, { status, message }]) =>
      `<tr id="${code}"><td><code>${code}</code></td><td>${status}</td><td>${escapeHtml(message)}</td></tr>`,
  );
  return `<section><h2 id="errors">Errors</h2><table>${rows.join("")}</table></section>`;
}

function renderOperation(document: Document, path: string, method: string, operation: Operation): string {
  const parameters = (operation.parameters ?? []).map((parameter) =>
    row(
      parameter.name,
      `${parameter.in}${parameter.required ? ", required" : ""}`,
      parameter.schema,
      parameter.description,
    ),
  );
  const bodies = Object.entries(operation.requestBody?.content ?? {});
  const body = bodies[0]?.[1].schema;
  const answers = Object.entries(operation.responses ?? {}).map(([status, answer]) => {
    const schema = Object.values(answer.content ?? {})[0]?.schema;
    const isProblem = Number(status) >= 400;
    const fields = schema && !isProblem ? table(document, schema, 0) : "";
    return `<details${status.startsWith("2") ? " open" : ""}><summary><code>${status}</code> ${escapeHtml(isProblem ? "Problem" : (answer.description ?? ""))}</summary>${fields}</details>`;
  });
  return `<article id="${escapeHtml(operation.operationId ?? "")}"><h3>${escapeHtml(operation.summary ?? "")}</h3>
<p class="address"><b class="${method}">${method.toUpperCase()}</b> <code>${escapeHtml(path)}</code></p>
${paragraphs(operation.description ?? "")}${operation.security?.length === 0 ? "<p>Needs no credentials.</p>" : ""}
${parameters.length > 0 ? `<h4>Parameters</h4><table>${parameters.join("")}</table>` : ""}
${body ? `<h4>Body <small>${bodies.map(([type]) => escapeHtml(type)).join(", ")}</small></h4>${table(document, body, 0)}` : ""}
<h4>Answers</h4>${answers.join("")}</article>`;
}

/** The fields of an object, its inner objects below it. */
function table(document: Document, given: Schema, depth: number): string {
  const schema = resolve(document, given);
  const inner = schema.items ? resolve(document, schema.items) : schema;
  if (!inner.properties || depth > MAX_DEPTH)
    return `<p><code>${escapeHtml(typeName(document, schema))}</code></p>`;
  const rows = Object.entries(inner.properties).map(([name, property]) => {
    const resolved = resolve(document, property);
    const nested = nestedObject(document, resolved);
    const required = inner.required?.includes(name) ? "required" : "";
    const line = row(name, required, resolved, resolved.description, typeName(document, resolved));
    return nested
      ? `${line}<tr><td></td><td colspan="2">${table(document, nested, depth + 1)}</td></tr>`
      : line;
  });
  return `<table>${rows.join("")}</table>`;
}

function nestedObject(document: Document, schema: Schema): Schema | undefined {
  const candidates = [schema, schema.items, ...(schema.anyOf ?? [])].filter((s) => s !== undefined);
  return candidates
    .map((candidate) => resolve(document, candidate))
    .find((candidate) => candidate.properties);
}

function row(
  name: string,
  note: string,
  schema: Schema | undefined,
  description = "",
  type?: string,
): string {
  const limits = [
    schema?.format,
    schema?.minimum === undefined ? undefined : `≥ ${schema.minimum}`,
    schema?.maximum === undefined ? undefined : `≤ ${schema.maximum}`,
    schema?.maxLength === undefined ? undefined : `≤ ${schema.maxLength} characters`,
    schema?.maxItems === undefined ? undefined : `≤ ${schema.maxItems} items`,
    schema?.default === undefined ? undefined : `default ${JSON.stringify(schema.default)}`,
  ].filter((limit) => limit !== undefined);
  const kind = [type ?? typeName({ info: { title: "", version: "" } }, schema ?? {}), ...limits].join(", ");
  return `<tr><td><code>${escapeHtml(name)}</code>${note ? `<br><small>${escapeHtml(note)}</small>` : ""}</td><td><small>${escapeHtml(kind)}</small></td><td>${inline(description)}</td></tr>`;
}

function typeName(document: Document, schema: Schema): string {
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.anyOf)
    return schema.anyOf.map((inner) => typeName(document, resolve(document, inner))).join(" | ");
  if (schema.items) return `list of ${typeName(document, resolve(document, schema.items))}`;
  return [schema.type ?? "any"].flat().join(" | ");
}

function resolve(document: Document, schema: Schema): Schema {
  const name = schema.$ref?.split("/").at(-1);
  return (name === undefined ? undefined : document.components?.schemas?.[name]) ?? schema;
}

function paragraphs(text: string): string {
  return text
    .split(/\n\s*\n/)
    .filter((paragraph) => paragraph.trim() !== "")
    .map((paragraph) => `<p>${inline(paragraph)}</p>`)
    .join("");
}

/** `code` and **bold** only. */
function inline(text: string): string {
  return escapeHtml(text)
    .replace(/`([^`]+)`/g, "<code>$1</code>")
    .replace(/\*\*([^*]+)\*\*/g, "<b>$1</b>");
}

function slug(text: string): string {
  return `tag-${text.toLowerCase().replace(/[^a-z0-9]+/g, "-")}`;
}

const STYLE = `
:root{color-scheme:light dark;--text:#1b2423;--quiet:#57635f;--line:#dbe2e0;--back:#fff;--accent:#0f6b66}
@media(prefers-color-scheme:dark){:root{--text:#e7eeec;--quiet:#9fb0ab;--line:#2c3836;--back:#121817;--accent:#5ec4bc}}
*{box-sizing:border-box}body{margin:0;font:16px/1.5 system-ui,sans-serif;color:var(--text);background:var(--back);display:flex}
nav{width:280px;flex:none;height:100vh;position:sticky;top:0;overflow:auto;padding:16px;border-right:1px solid var(--line);font-size:14px}
nav ul{list-style:none;padding-left:8px;margin:4px 0}nav>ul{padding:0}nav li{margin:4px 0}a{color:var(--accent)}nav ul ul a{color:var(--quiet);text-decoration:none}
a:focus-visible,summary:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
main{flex:1;min-width:0;max-width:900px;padding:24px 32px}article{border-top:1px solid var(--line);padding:16px 0}
h2{margin-top:48px}h3{margin:0 0 8px}h4{margin:16px 0 8px}code{font:13px ui-monospace,monospace;overflow-wrap:anywhere}
small{color:var(--quiet)}table{border-collapse:collapse;width:100%}td{border-top:1px solid var(--line);padding:6px 8px;vertical-align:top}
td:first-child{width:28%}td:nth-child(2){width:26%}.address b{display:inline-block;min-width:64px;color:var(--accent)}.address .delete{color:#c0392b}
@media(max-width:800px){body{display:block}nav{width:auto;height:auto;position:static;border:0}main{padding:16px}}
`;
