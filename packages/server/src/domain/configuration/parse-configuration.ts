import { type FieldError, FUTURE_APPLICATION_KEYS, IdentityError } from "@ostiary/contracts";
import { LineCounter, parseDocument, type YAMLError } from "yaml";
import { isObject } from "../../kernel/is-object.ts";

/** Nesting of a file, at most; as of a JSON body. */
const MAX_DEPTH = 32;
/** Anchors are for a repeated block or two, not for a billion laughs. */
const MAX_ALIASES = 100;
const MAX_REPORTED = 20;

/**
 * Reads YAML 1.2 (of which JSON is a part) as plain JSON values.
 *
 * @throws IdentityError `configuration.invalid` with line and column: syntax, duplicate keys, tags, several documents,
 *   too many aliases, values that JSON does not have.
 */
export function parseYaml(text: string): unknown {
  const lines = new LineCounter();
  try {
    const document = parseDocument(text, { version: "1.2", lineCounter: lines, prettyErrors: false });
    const issues = [...document.errors, ...document.warnings];
    if (issues.length > 0) throw invalid(issues.slice(0, MAX_REPORTED).map((issue) => located(issue, lines)));
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
    checkPlain(value, 0);
    return value;
  } catch (error) {
    if (error instanceof IdentityError) throw error;
    // The library's own: too many aliases, or a nesting that exhausts the stack.
    throw invalid([{ path: "", message: (error as Error).message }]);
  }
}

function located(issue: YAMLError, lines: LineCounter): FieldError {
  const { line, col } = lines.linePos(issue.pos[0]);
  return { path: "", message: `line ${line}, column ${col}: ${issue.message}` };
}

function invalid(fields: FieldError[]): IdentityError {
  return new IdentityError("configuration.invalid", { fields });
}

/** What a JSON body is refused for is refused in YAML too. */
function checkPlain(value: unknown, depth: number): void {
  if (depth > MAX_DEPTH) throw new IdentityError("request.too_deep");
  if (typeof value === "string") {
    if (value.includes("\0") || !value.isWellFormed()) throw new IdentityError("request.invalid_text");
  } else if (typeof value === "number") {
    if (!Number.isFinite(value)) throw invalid([{ path: "", message: "numbers must be finite" }]);
  } else if (typeof value === "object" && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      if (key === "__proto__") throw new IdentityError("request.invalid", { reason: "key __proto__" });
      checkPlain(key, depth);
      checkPlain(item, depth + 1);
    }
  }
}

/** `${NAME}` stands for an environment variable; each further `$` before it makes it the text with one `$` less. */
const VARIABLE = /^\$+\{[A-Za-z_][A-Za-z0-9_]*\}$/;

/**
 * The file's literal values. Variables belong to the machine on which the file is read: whoever sends a file has put
 * their values in before, so one that arrives here has none.
 *
 * @throws IdentityError `configuration.variable_missing`
 */
export function readLiterals(value: unknown, path = ""): unknown {
  if (typeof value === "string") {
    if (!VARIABLE.test(value)) return value;
    if (value.startsWith("$$")) return value.slice(1);
    const fields = [{ path, message: `${value} must be replaced by its value before the file is sent` }];
    throw new IdentityError("configuration.variable_missing", { fields });
  }
  if (Array.isArray(value)) return value.map((item, index) => readLiterals(item, `${path}/${index}`));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, readLiterals(item, `${path}/${pointer(key)}`)]),
  );
}

/** The reverse of `readLiterals`, for the export. */
export function writeLiterals<T>(value: T): T;
export function writeLiterals(value: unknown): unknown {
  if (typeof value === "string") return VARIABLE.test(value) ? `$${value}` : value;
  if (Array.isArray(value)) return value.map((item) => writeLiterals(item));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, writeLiterals(item)]));
}

/**
 * What the format has but this version of the product has not is refused by name, never passed over.
 *
 * @throws IdentityError `configuration.invalid`
 */
export function checkSupported(value: unknown): void {
  const fields: FieldError[] = [];
  for (const [path, tenant] of itemsOf(value, "tenants", "")) {
    for (const [below, application] of itemsOf(tenant, "applications", path)) {
      fields.push(...unsupported(application, FUTURE_APPLICATION_KEYS, below));
    }
  }
  if (fields.length > 0) throw invalid(fields.slice(0, MAX_REPORTED));
}

function unsupported(value: unknown, keys: readonly string[], path: string): FieldError[] {
  return keys
    .filter((key) => isObject(value) && Object.hasOwn(value, key))
    .map((key) => ({
      path: `${path}/${key}`,
      message: `\`${key}\` is not supported yet by this version. Take it out of the file.`,
    }));
}

function itemsOf(value: unknown, key: string, path: string): [path: string, item: unknown][] {
  const list = isObject(value) ? value[key] : undefined;
  return Array.isArray(list) ? list.map((item, index) => [`${path}/${key}/${index}`, item]) : [];
}

/** RFC 6901 §3. */
function pointer(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}
