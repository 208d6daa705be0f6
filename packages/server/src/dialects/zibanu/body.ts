import { IdentityError } from "@ostiary/contracts";
import type { FastifyRequest } from "fastify";
import { parseForm } from "../../platform/http/form.ts";
import { parseStrictJson } from "../../platform/http/strict-json.ts";
import { refuseByFramework } from "./errors.ts";
import { say } from "./messages.ts";

/** What a request brings. A file of a form is a Buffer. */
export interface Given {
  /** Undefined without a body. */
  value: unknown;
  /** An HTML form says nothing of a box that is not ticked, so what is absent there is false. */
  isForm: boolean;
}

/** Parts of one form; ours have ten fields. */
const MAX_PARTS = 50;

/**
 * The body, read when a service asks for it: several of theirs never do, and answer whatever was sent.
 *
 * @throws Refusal 415; IdentityError `request.*`
 */
export function readBody(request: FastifyRequest): Given | Promise<Given> {
  const bytes = request.body;
  if (!Buffer.isBuffer(bytes) || bytes.length === 0) return { value: undefined, isForm: false };
  const contentType = request.headers["content-type"] ?? "";
  const [mediaType = ""] = contentType.split(";", 1);
  switch (mediaType.trim().toLowerCase()) {
    case "application/json":
      return { value: parseStrictJson(bytes), isForm: false };
    case "application/x-www-form-urlencoded":
      return { value: parseForm(bytes), isForm: true };
    case "multipart/form-data":
      return readParts(bytes, contentType);
    default:
      throw refuseByFramework(415, say('Unsupported media type "{0}" in request.', mediaType.slice(0, 100)));
  }
}

/** RFC 7578, by the parser that node itself has for it. */
async function readParts(bytes: Buffer, contentType: string): Promise<Given> {
  const parts = await new Response(new Uint8Array(bytes), { headers: { "content-type": contentType } })
    .formData()
    .catch((error: unknown) => {
      throw new IdentityError("request.malformed_json", { cause: error });
    });
  const value: Record<string, unknown> = Object.create(null);
  let count = 0;
  for (const [name, part] of parts) {
    if (++count > MAX_PARTS) throw new IdentityError("request.too_large");
    if (typeof part !== "string") value[name] = Buffer.from(await part.arrayBuffer());
    else if (part.includes("\0")) throw new IdentityError("request.invalid_text");
    else value[name] = part;
  }
  return { value, isForm: true };
}

/** What Python would call it. */
export function pythonType(value: unknown): string {
  if (value === null) return "NoneType";
  if (Array.isArray(value)) return "list";
  if (typeof value === "string") return "str";
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "float";
  return typeof value === "boolean" ? "bool" : "dict";
}

export type Fields = Readonly<Record<string, unknown>>;

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value);
}

/** Python's truth: what is empty is false too. */
export function isTruthy(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return isFields(value) ? Object.keys(value).length > 0 : Boolean(value);
}
