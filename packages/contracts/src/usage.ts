import { type Static, Type } from "typebox";
import {
  Id,
  Json,
  Line,
  Lines,
  ListQuery,
  Nullable,
  OneOf,
  Optionals,
  SearchText,
  StrictObject,
  Timestamp,
  Version,
} from "./common.ts";

/** An amount of money or a price: a text, so that no program rounds it. */
export const Decimal = Type.String({
  minLength: 1,
  maxLength: 37,
  pattern: "^(?:0|[1-9][0-9]{0,17})(?:\\.[0-9]{1,18})?$",
  description: "An exact decimal, not negative: at most 18 digits before the point and 18 after it",
  examples: ["0.0035"],
});

export const BILLING_KINDS = ["static", "dynamic"] as const;

const HttpMethod = Type.String({
  minLength: 1,
  maxLength: 16,
  pattern: "^[A-Z][A-Z_-]*$",
  description: "In capitals",
  examples: ["POST"],
});

/** `/chat/{model}`, `/files/**`, `https://api.example.com/v1/*`. */
const RulePath = Line(512, {
  minLength: 1,
  pattern:
    "^(?:[A-Za-z][A-Za-z0-9+.-]{0,15}://[^/\\s\\u0000-\\u001F]{1,255})?/[^\\u0000-\\u001F\\u007F-\\u009F?#]*$",
  description:
    "A path, or an address of outgoing calls. `*` or `{name}` stands for one segment, `**` at the end for any number",
  examples: ["/chat/{model}"],
});

/** What a call costs. */
export const BillingRule = Type.Object({
  id: Id,
  applicationId: Nullable(Id, { description: "Null: all applications" }),
  name: Type.String(),
  method: Nullable(Type.String(), { description: "Null: all methods" }),
  path: Type.String(),
  kind: OneOf(BILLING_KINDS, {
    description: "`static`: every call costs the price. `dynamic`: what its answer says, else the price",
  }),
  price: Decimal,
  status: OneOf(["active", "disabled"]),
  version: Version,
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type BillingRule = Static<typeof BillingRule>;

const ruleFields = {
  name: Line(256, { minLength: 1, description: "Default: the path" }),
  kind: OneOf(BILLING_KINDS, { description: "Default `static`" }),
  price: Decimal,
  status: OneOf(["active", "disabled"]),
};

export const CreateBillingRule = StrictObject({
  applicationId: Type.Optional(Nullable(Id)),
  method: Type.Optional(Nullable(HttpMethod)),
  path: RulePath,
  ...Optionals(ruleFields),
});
export type CreateBillingRule = Static<typeof CreateBillingRule>;

export const UpdateBillingRule = StrictObject(Optionals(ruleFields));
export type UpdateBillingRule = Static<typeof UpdateBillingRule>;

export const BillingRuleQuery = StrictObject({
  ...ListQuery.properties,
  applicationId: Type.Optional(Id),
  search: Type.Optional(SearchText),
});
export type BillingRuleQuery = Static<typeof BillingRuleQuery>;

export const MAXIMUM_CALLS = 1_000;

const Moment = Type.String({ format: "date-time", maxLength: 64 });

/** One call that a service answered, or made. */
export const ReportedCall = StrictObject({
  method: HttpMethod,
  path: Line(2_048, { minLength: 1, description: "Path, or address; a query is cut off" }),
  status: Type.Integer({ minimum: 100, maximum: 599 }),
  milliseconds: Type.Number({ minimum: 0, maximum: 86_400_000, description: "How long it took" }),
  occurredAt: Type.Optional({ ...Moment, description: "At most a week ago; default: now" }),
  userId: Type.Optional(Nullable(Id)),
  username: Type.Optional(Nullable(Line(254, { description: "Who called, where `userId` is not known" }))),
  error: Type.Optional(Nullable(Lines(8_192))),
  parameters: Type.Optional(
    Nullable(Type.Record(Type.String({ maxLength: 128 }), Json), {
      description: "Headers, query, body: kept without credentials, and up to 8 KiB",
    }),
  ),
  responseHeaders: Type.Optional(Nullable(Type.Record(Type.String({ maxLength: 256 }), Json))),
});
export type ReportedCall = Static<typeof ReportedCall>;

export const ReportCalls = StrictObject({
  applicationId: Type.Optional(Id),
  calls: Type.Array(ReportedCall, { minItems: 1, maxItems: MAXIMUM_CALLS }),
});
export type ReportCalls = Static<typeof ReportCalls>;

export const ReportedCalls = Type.Object({
  accepted: Type.Integer({ description: "So many calls are in the database" }),
});

/** A call as it was kept. */
export const UsageCall = Type.Object({
  position: Type.String({ description: "Order of arrival" }),
  applicationId: Id,
  userId: Nullable(Id),
  username: Nullable(Type.String()),
  method: Type.String(),
  path: Type.String(),
  route: Type.String({ description: "The path, with placeholders where ids were" }),
  status: Type.Integer(),
  milliseconds: Type.Number(),
  error: Nullable(Type.String()),
  parameters: Json,
  responseHeaders: Json,
  ruleId: Nullable(Id),
  cost: Type.String(),
  traceId: Type.String(),
  occurredAt: Timestamp,
});
export type UsageCall = Static<typeof UsageCall>;

const Position = Type.String({ maxLength: 16, pattern: "^[1-9][0-9]{0,14}$" });
const filters = {
  applicationId: Type.Optional(Id),
  userId: Type.Optional(Id),
  from: Type.Optional({ ...Moment, description: "Inclusive" }),
  to: Type.Optional({ ...Moment, description: "Exclusive" }),
};

export const UsageCallQuery = StrictObject({
  limit: ListQuery.properties.limit,
  after: Type.Optional({ ...Position, description: "`next` of the page before" }),
  ...filters,
  status: Type.Optional(Type.Integer({ minimum: 100, maximum: 599 })),
  search: Type.Optional(SearchText),
});
export type UsageCallQuery = Static<typeof UsageCallQuery>;

export const USAGE_GRAINS = ["minute", "hour", "day", "total"] as const;
export const USAGE_DIMENSIONS = ["application", "user", "method", "route", "status", "rule"] as const;
export type UsageDimension = (typeof USAGE_DIMENSIONS)[number];

const Dimensions = Type.String({
  maxLength: 64,
  pattern: `^(?:${USAGE_DIMENSIONS.join("|")})(?:,(?:${USAGE_DIMENSIONS.join("|")}))*$`,
  description: `Comma-separated: ${USAGE_DIMENSIONS.join(", ")}`,
  examples: ["application,route"],
});
const Format = OneOf(["json", "csv"], { description: "Default: JSON" });
const RowLimit = Type.Integer({ minimum: 1, maximum: 100_000, default: 1_000, description: "Rows at most" });

export const UsageQuery = StrictObject({
  grain: Type.Optional(OneOf(USAGE_GRAINS, { description: "Length of a row's time; default `total`" })),
  by: Type.Optional(Dimensions),
  ...filters,
  limit: Type.Optional(RowLimit),
  format: Type.Optional(Format),
});
export type UsageQuery = Static<typeof UsageQuery>;

const dimensions = {
  applicationId: Type.Optional(Nullable(Type.String())),
  userId: Type.Optional(Nullable(Type.String())),
  method: Type.Optional(Type.String()),
  route: Type.Optional(Type.String()),
  status: Type.Optional(Type.Integer()),
  ruleId: Type.Optional(Nullable(Type.String())),
};
const Milliseconds = Type.Number({ description: "Milliseconds" });

export const UsageRow = Type.Object({
  at: Type.Optional(Type.String({ description: "Beginning of the minute, hour or day, in UTC" })),
  ...dimensions,
  calls: Type.Integer(),
  failures: Type.Integer({ description: "Calls with a status of 400 or more" }),
  cost: Type.String(),
  average: Milliseconds,
  p50: Milliseconds,
  p95: Milliseconds,
  p99: Milliseconds,
});
export type UsageRow = Static<typeof UsageRow>;
export const UsageRows = Type.Object({ items: Type.Array(UsageRow) });

const Day = Type.String({ format: "date", description: "In UTC", examples: ["2026-01-31"] });
const LEDGER_DIMENSIONS = ["day", "application", "user", "rule"] as const;
export type LedgerDimension = (typeof LEDGER_DIMENSIONS)[number];

export const LedgerQuery = StrictObject({
  by: Type.Optional(
    Type.String({
      maxLength: 64,
      pattern: `^(?:${LEDGER_DIMENSIONS.join("|")})(?:,(?:${LEDGER_DIMENSIONS.join("|")}))*$`,
      description: `Comma-separated: ${LEDGER_DIMENSIONS.join(", ")}; default all of them`,
    }),
  ),
  applicationId: Type.Optional(Id),
  userId: Type.Optional(Id),
  from: Type.Optional({ ...Day, description: "The first day" }),
  to: Type.Optional({ ...Day, description: "The last day" }),
  limit: Type.Optional(RowLimit),
  format: Type.Optional(Format),
});
export type LedgerQuery = Static<typeof LedgerQuery>;

export const LedgerRow = Type.Object({
  day: Type.Optional(Day),
  applicationId: dimensions.applicationId,
  userId: dimensions.userId,
  ruleId: dimensions.ruleId,
  calls: Type.Integer(),
  amount: Type.String({ description: "An exact decimal" }),
});
export type LedgerRow = Static<typeof LedgerRow>;
export const LedgerRows = Type.Object({ items: Type.Array(LedgerRow) });
