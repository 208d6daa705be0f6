import { Failure } from "../failure.ts";
import { readCsv } from "./read-csv.ts";

/** A user as bk-user exports it. Empty texts where it says nothing. */
export interface BluekingUser {
  /** Line of a table, place in a list (from 1). */
  row: number;
  username: string;
  name: string;
  nickname: string;
  email: string;
  phone: string;
  /** Departments with those above them, outermost first. */
  departments: string[][];
  isActive: boolean;
  timeZone: string;
  language: string;
  /** Fields that bk-user does not have by itself. */
  custom: Record<string, string>;
}

/** Our names for the columns and keys of bk-user 2 and 3, in lower case. */
const FIELDS: Record<string, string> = {
  username: "username",
  login_name: "username",
  用户名: "username",
  full_name: "name",
  display_name: "displayName",
  姓名: "name",
  全名: "name",
  email: "email",
  邮箱: "email",
  phone_number: "phone",
  phone: "phone",
  telephone: "phone",
  手机号: "phone",
  phone_country_code: "countryCode",
  country_code: "countryCode",
  organizations: "departments",
  departments: "departments",
  department: "departments",
  组织: "departments",
  所属组织: "departments",
  status: "status",
  账户状态: "status",
  staff_status: "staffStatus",
  在职状态: "staffStatus",
  time_zone: "timeZone",
  language: "language",
};

/** What is not for us: keys of bk-user's own database, and who is whose superior, which Ostiary does not know. */
const IGNORED = new Set([
  "id",
  "leader",
  "leaders",
  "直接上级",
  "上级",
  "code",
  "domain",
  "category_id",
  "logo",
  "position",
  "iso_code",
  "type",
  "role",
  "extras",
  "enabled",
  "password_valid_days",
  "password_update_time",
  "last_login_time",
  "create_time",
  "update_time",
  "account_expiration_date",
]);

/** A column is called `用户名/username`, or by either half. */
function fieldOf(column: string): string | undefined {
  const names = column
    .split("/")
    .map((part) => part.trim().toLowerCase())
    .reverse();
  for (const name of names) if (Object.hasOwn(FIELDS, name)) return FIELDS[name];
  return undefined;
}

/** @throws Failure when the file is not what bk-user exports. */
export function readBluekingFile(text: string): BluekingUser[] {
  const content = text.replace(/^\uFEFF/, "");
  return /^\s*[[{]/.test(content) ? readJson(content) : readTable(content);
}

/** The first line may be a note on how to fill in the table. */
function readTable(text: string): BluekingUser[] {
  const rows = readCsv(text);
  const head = rows.slice(0, 5).findIndex(({ cells }) => cells.some((cell) => fieldOf(cell) === "username"));
  if (head < 0) throw new Failure("No column of the table is called username or 用户名.");
  const columns = rows[head]?.cells ?? [];
  return rows.slice(head + 1).map(({ line, cells }) => {
    const values = Object.fromEntries(columns.map((column, index) => [column, cells[index] ?? ""]));
    return toUser(line, values);
  });
}

function readJson(text: string): BluekingUser[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Failure(`The file is no JSON: ${(error as Error).message}`);
  }
  const list = listIn(value);
  if (!list) throw new Failure("The file has no list of users (`[…]`, `{data: […]}` or `{results: […]}`).");
  return list.map((item, index) => toUser(index + 1, item));
}

function listIn(value: unknown): unknown[] | undefined {
  if (Array.isArray(value)) return value;
  if (typeof value !== "object" || value === null) return undefined;
  const { data, results, users } = value as Record<string, unknown>;
  for (const inner of [data, results, users]) {
    const list = inner === undefined ? undefined : listIn(inner);
    if (list) return list;
  }
  return undefined;
}

function toUser(row: number, item: unknown): BluekingUser {
  const values = typeof item === "object" && item !== null ? (item as Record<string, unknown>) : {};
  const known: Record<string, unknown> = {};
  const custom: Record<string, string> = {};
  for (const [column, value] of [...Object.entries(values), ...Object.entries(objectOf(values.extras))]) {
    const field = fieldOf(column);
    if (field !== undefined) known[field] = value;
    else if (!IGNORED.has(column.toLowerCase()) && textOf(value) !== "") {
      custom[column.split("/").at(-1)?.trim() ?? column] = textOf(value);
    }
  }
  const displayName = textOf(known.displayName);
  const name = textOf(known.name) || displayName;
  return {
    row,
    username: textOf(known.username),
    name,
    nickname: displayName === name ? "" : displayName,
    email: textOf(known.email),
    phone: phoneOf(textOf(known.phone), textOf(known.countryCode)),
    departments: departmentsOf(known.departments),
    isActive: isActive(textOf(known.status), textOf(known.staffStatus)),
    timeZone: textOf(known.timeZone),
    language: languageOf(textOf(known.language)),
    custom,
  };
}

/** `DISABLED`, `LOCKED`, `DELETED`, `EXPIRED` and 禁用 in bk-user's words; who has left the company is `OUT`. */
function isActive(status: string, staffStatus: string): boolean {
  const works = status === "" || /^(?:normal|enabled|active|true|正常)$/i.test(status);
  return works && !/^(?:out|离职)$/i.test(staffStatus);
}

function phoneOf(text: string, countryCode: string): string {
  const digits = text.replaceAll(/[\s()-]/g, "");
  if (digits === "" || digits.startsWith("+") || countryCode === "" || countryCode === "86") return digits;
  return `+${countryCode.replace(/^\+/, "")}${digits}`;
}

function languageOf(text: string): string {
  return text.toLowerCase() === "zh-cn" ? "zh-CN" : text;
}

/** `A/B, A/C` in a table; a list of paths, or of objects with `full_name`, in JSON. */
function departmentsOf(value: unknown): string[][] {
  const paths = Array.isArray(value)
    ? value.map((one) => textOf(objectOf(one).full_name) || textOf(objectOf(one).name) || textOf(one))
    : textOf(value).split(/[,，;；\n]/);
  const lists = paths.map((path) =>
    path
      .split("/")
      .map((part) => part.trim())
      .filter((part) => part !== ""),
  );
  const unique = new Map(lists.map((list) => [list.join("/"), list]));
  return [...unique.values()].filter((list) => list.length > 0);
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value.trim();
  return typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}
