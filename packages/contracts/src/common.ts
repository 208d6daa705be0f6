import {
  type Static,
  type TObjectOptions,
  type TOptional,
  type TProperties,
  type TSchema,
  type TStringOptions,
  Type,
} from "typebox";
import { ERRORS } from "./errors.ts";

/** An object that refuses fields it does not know: for every request body. */
export function StrictObject<Properties extends TProperties>(
  properties: Properties,
  options: TObjectOptions = {},
) {
  return Type.Object(properties, { additionalProperties: false, ...options });
}

/** The same properties, each of which may be absent: a change. */
export function Optionals<Properties extends TProperties>(properties: Properties) {
  const entries = Object.entries(properties).map(([name, schema]) => [name, Type.Optional(schema)]);
  return Object.fromEntries(entries) as { [Name in keyof Properties]: TOptional<Properties[Name]> };
}

/** `null` clears a field in a change (RFC 7386), and is how an empty field is shown. */
export function Nullable<Schema extends TSchema>(schema: Schema, options: { description?: string } = {}) {
  return Type.Union([schema, Type.Null()], options);
}

/** One of a few words. */
export function OneOf<const Words extends readonly string[]>(
  words: Words,
  options: { description?: string; default?: Words[number] } = {},
) {
  return Type.Unsafe<Words[number]>({ type: "string", enum: words, ...options });
}

/** No control characters: U+0000–U+001F, U+007F–U+009F. */
const ONE_LINE = "^[^\\u0000-\\u001F\\u007F-\\u009F]*$";
/** Line feed, carriage return and tabulator are allowed. */
const SOME_LINES = "^[^\\u0000-\\u0008\\u000B\\u000C\\u000E-\\u001F\\u007F-\\u009F]*$";

/** One line of text; lengths in characters (Unicode code points). */
export function Line(maxLength: number, options: TStringOptions = {}) {
  return Type.String({ maxLength, pattern: ONE_LINE, ...options });
}

/** Text that may have several lines. */
export function Lines(maxLength: number, options: TStringOptions = {}) {
  return Type.String({ maxLength, pattern: SOME_LINES, ...options });
}

/** An `https:` or `http:` address. */
export function WebAddress(options: TStringOptions = {}) {
  return Type.String({
    maxLength: 2_048,
    pattern: '^https?://[^\\s\\u0000-\\u001F\\u007F-\\u009F<>"\\\\^`{|}]+$',
    ...options,
  });
}

export const Id = Type.String({
  pattern: "^[0-9a-f]{24}$",
  description: "24 lowercase hexadecimal characters",
  examples: ["019a8c3f2b7e5d0c4a1b9e7f"],
});

export const Serial = Type.Integer({
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
  description: "A number beside the id, for programs that need integers",
});

export const Timestamp = Type.String({
  format: "date-time",
  description: "RFC 3339, in UTC",
  examples: ["2026-01-01T00:00:00.000Z"],
});

export const Version = Type.Integer({
  minimum: 1,
  description: "Counts the changes of this object; also its ETag",
});

/** What is typed into addresses and files: lowercase letters, digits and hyphens. */
export const Slug = Type.String({
  minLength: 1,
  maxLength: 63,
  pattern: "^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$",
  description: "Lowercase letters, digits and hyphens; neither first nor last a hyphen",
  examples: ["example"],
});

/** Codes of roles, namespaces and groups. A slash separates namespace and code where both are written. */
export const Code = Type.String({
  minLength: 1,
  maxLength: 128,
  pattern: "^[^\\s\\u0000-\\u001F\\u007F-\\u009F/*]+$",
  description: "No white space, `/` or `*`",
});

/** Any JSON value. Its size is bounded by the limits of the body. */
export const Json = Type.Unsafe<JsonValue>({ description: "Any JSON value" });
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

export const FieldErrorSchema = Type.Object({
  path: Type.String({ description: "JSON Pointer (RFC 6901) into the body or query" }),
  message: Type.String(),
});

/** A problem document (RFC 9457): every error of the API has this form. */
export const Problem = Type.Object(
  {
    type: Type.String({ description: "Address of the description of the code" }),
    title: Type.String({ description: "What happened, then what to do" }),
    status: Type.Integer(),
    code: Type.Unsafe<keyof typeof ERRORS>({
      type: "string",
      enum: Object.keys(ERRORS),
      description: "Stable; switch on this",
    }),
    traceId: Type.String({ description: "Quote it to your administrator" }),
    errors: Type.Optional(Type.Array(FieldErrorSchema)),
  },
  { $id: "Problem", description: "A problem document (RFC 9457)" },
);
export type Problem = Static<typeof Problem>;

export const PAGE_SIZE = { default: 50, maximum: 200 } as const;

/** The query of every list. */
export const ListQuery = StrictObject({
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: PAGE_SIZE.maximum,
      default: PAGE_SIZE.default,
      description: "Items a page",
    }),
  ),
  after: Type.Optional(
    Type.String({ maxLength: 128, pattern: "^[0-9a-f]{24}$", description: "`next` of the page before" }),
  ),
});
export type ListQuery = Static<typeof ListQuery>;

/** `search` of a list. */
export const SearchText = Line(128, { minLength: 1, description: "Part of a name or code, in any case" });

/** A page of a list, newest first. */
export function PageOf<Item extends TSchema>(item: Item) {
  return Type.Object({
    items: Type.Array(item),
    next: Nullable(Type.String(), { description: "`after` of the next page; null on the last" }),
  });
}
export interface Page<Item> {
  items: Item[];
  next: string | null;
}

/** What a list may be asked for inside the server. */
export interface PageRequest {
  /** 1 to 200; default 50. */
  limit?: number | undefined;
  /** Only what is older than this id. */
  after?: string | undefined;
}

export const MAXIMUM_BULK_OPERATIONS = 1_000;

/** Creations, changes and deletions of one kind of object: all are done, or none. */
export function BulkOf<Create extends TSchema, Change extends TSchema>(create: Create, change: Change) {
  return StrictObject({
    operations: Type.Array(
      Type.Union([
        StrictObject({ op: Type.Literal("create"), value: create }),
        StrictObject({ op: Type.Literal("update"), id: Id, value: change }),
        StrictObject({ op: Type.Literal("delete"), id: Id }),
      ]),
      { minItems: 1, maxItems: MAXIMUM_BULK_OPERATIONS },
    ),
  });
}

/** One result for each operation, in their order; `null` for a deletion. */
export function BulkResultOf<Item extends TSchema>(item: Item) {
  return Type.Object({ results: Type.Array(Nullable(item)) });
}
