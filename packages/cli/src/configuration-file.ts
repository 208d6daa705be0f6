import { readFile } from "node:fs/promises";
import { LineCounter, parseDocument } from "yaml";
import { Failure } from "./failure.ts";

/** `${NAME}` as a whole value; with a second `$` it is meant literally, and the server takes that `$` away. */
const VARIABLE = /^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$/;
const LITERAL = /^\$+\{[A-Za-z_][A-Za-z0-9_]*\}$/;

/**
 * Reads a configuration file, YAML or JSON, and puts the environment's values in: variables are of the machine on
 * which the file is read, never of the server it is sent to.
 *
 * @param path - `-` for standard input.
 * @throws Failure with line and column, or naming the variable that is not set.
 */
export async function readConfigurationFile(
  path: string,
  env: Record<string, string | undefined> = process.env,
): Promise<unknown> {
  const text = await (path === "-" ? readStdin() : readFile(path, "utf8")).catch((error: Error) => {
    throw new Failure(`${path} cannot be read: ${error.message}`);
  });
  const lines = new LineCounter();
  const document = parseDocument(text, { version: "1.2", lineCounter: lines, prettyErrors: false });
  const [issue] = [...document.errors, ...document.warnings];
  if (issue) {
    const { line, col } = lines.linePos(issue.pos[0]);
    throw new Failure(`${path}:${line}:${col}: ${issue.message}`);
  }
  return substitute(document.toJS(), env, path);
}

async function readStdin(): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of process.stdin) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}

function substitute(value: unknown, env: Record<string, string | undefined>, path: string): unknown {
  if (typeof value === "string") {
    const name = VARIABLE.exec(value)?.[1];
    if (name === undefined) return value;
    const found = env[name];
    if (found === undefined) throw new Failure(`${path} names the variable ${name}, which is not set.`);
    return LITERAL.test(found) ? `$${found}` : found;
  }
  if (Array.isArray(value)) return value.map((item) => substitute(item, env, path));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, substitute(item, env, path)]));
}
