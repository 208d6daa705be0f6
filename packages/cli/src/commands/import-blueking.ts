import { readFile } from "node:fs/promises";
import { type CustomField, Email, Phone, Username } from "@ostiary/contracts";
import type { Command } from "commander";
import { type Client, type ConnectionOptions, withClient } from "../client.ts";
import { EXIT, Failure } from "../failure.ts";
import { type BluekingUser, readBluekingFile } from "../import/blueking-file.ts";
import { importUnits, type UnitsResult } from "../import/import-units.ts";
import { importUsers, type Refusal, type UsersResult, type WantedUser } from "../import/import-users.ts";
import { createProgress } from "../import/progress.ts";
import { decodeText } from "../import/read-csv.ts";
import { connected } from "../options.ts";
import { answer, table } from "../output.ts";

interface Options extends ConnectionOptions {
  dryRun?: boolean;
  verified?: boolean;
  organization: string;
  organizationName?: string;
}

/** Depth of departments; the organization itself is one of the twelve levels that units may have. */
const MAX_DEPTH = 11;

/** What the contract accepts, so that a dry run can tell. */
function fits(schema: object, text: string): boolean {
  const { pattern = "", maxLength = Infinity } = schema as { pattern?: string; maxLength?: number };
  return new RegExp(pattern).test(text) && text.length <= maxLength;
}

export function bluekingCommand(): Command {
  return connected("blueking", "Import users and departments that were exported from BlueKing's bk-user", [
    "ostiary import blueking users.csv --dry-run",
    "ostiary import blueking users.json --organization example --verified",
  ])
    .argument("<file>", "a table as CSV (the export saved by a spreadsheet), or the JSON of list_users")
    .option("--dry-run", "say what would be done, and do nothing")
    .option("--verified", "take addresses and phone numbers as verified: bk-user has checked them")
    .option("--organization <code>", "the organization that gets the departments", "blueking")
    .option("--organization-name <name>", "its name when it is new; default: the code")
    .addHelpText(
      "after",
      "\nMay be repeated: users are found by username again, and only what differs is changed. Nobody is deleted.\n" +
        "bk-user exports no passwords: people choose one with the link for forgotten passwords.",
    )
    .action(run);
}

async function run(file: string, options: Options): Promise<void> {
  const bytes = await readFile(file).catch((error: Error) => {
    throw new Failure(`${file} cannot be read: ${error.message}`);
  });
  const read = readBluekingFile(decodeText(bytes));
  const report = await withClient(options, (client) => importAll(client, read, options));
  answer(options.json, report, () => textOf(report, options.dryRun === true));
  if (report.refused.length > 0) process.exitCode = EXIT.failed;
}

interface Report {
  dryRun: boolean;
  created: number;
  updated: number;
  unchanged: number;
  units: UnitsResult | null;
  refused: Refusal[];
}

async function importAll(client: Client, read: readonly BluekingUser[], options: Options): Promise<Report> {
  const fields = await client.list<CustomField>("/custom-fields", {}, 10_000);
  const keys = new Set(
    fields.filter(({ type }) => type === "string" || type === "select").map(({ key }) => key),
  );
  const refused: Refusal[] = [];
  const wanted: WantedUser[] = [];
  const departments = new Map<string, string[][]>();
  for (const user of read) {
    const reason = departments.has(externalIdOf(user)) ? "the username is there twice" : reasonAgainst(user);
    if (reason !== undefined) refused.push({ row: user.row, username: user.username, reason });
    else {
      wanted.push(toWanted(user, keys, options));
      departments.set(externalIdOf(user), user.departments);
    }
  }
  const dryRun = options.dryRun === true;
  const users = await importUsers(client, wanted, { dryRun, progress: createProgress("users") });
  const units = dryRun ? null : await placeUsers(client, users, departments, options);
  const { created, updated, unchanged } = users;
  const all = [...refused, ...users.refused].sort((a, b) => a.row - b.row);
  return { dryRun, created, updated, unchanged, units, refused: all };
}

function placeUsers(
  client: Client,
  { ids }: UsersResult,
  departments: ReadonlyMap<string, string[][]>,
  { organization: code, organizationName: name = code }: Options,
): Promise<UnitsResult> | null {
  const people = new Map<string, string[][]>();
  for (const [externalId, id] of ids) people.set(id, departments.get(externalId) ?? []);
  const hasAny = [...people.values()].some((paths) => paths.length > 0);
  return hasAny ? importUnits(client, { code, name }, people, createProgress("departments")) : null;
}

/** Usernames are what bk-user's users are known by everywhere; its numbers are not exported. */
function externalIdOf({ username }: BluekingUser): string {
  return `bk-user:${username.toLowerCase()}`;
}

function reasonAgainst(user: BluekingUser): string | undefined {
  if (user.username === "") return "there is no username";
  if (!fits(Username, user.username)) return "the username is too long or has a character that none may have";
  if (user.email !== "" && !fits(Email, user.email)) return `${user.email} is no e-mail address`;
  if (user.phone !== "" && !fits(Phone, user.phone)) return `${user.phone} is no phone number`;
  if (user.departments.some((path) => path.length > MAX_DEPTH))
    return `a department is more than ${MAX_DEPTH} deep`;
  if (user.departments.flat().some((name) => name.length > 128))
    return "the name of a department is too long";
  return undefined;
}

function toWanted(user: BluekingUser, keys: ReadonlySet<string>, { verified = false }: Options): WantedUser {
  const { row, username, name, nickname, email, phone, timeZone, language } = user;
  const custom = Object.entries(user.custom).filter(([key]) => keys.has(key));
  const profile = {
    ...(timeZone === "" ? {} : { zoneinfo: timeZone }),
    ...(language === "" ? {} : { locale: language }),
  };
  return {
    row,
    username,
    externalId: externalIdOf(user),
    values: {
      username,
      externalId: externalIdOf(user),
      ...(name === "" ? {} : { name }),
      ...(nickname === "" ? {} : { nickname }),
      ...(email === "" ? {} : { email, ...(verified ? { emailVerified: true } : {}) }),
      ...(phone === "" ? {} : { phone, ...(verified ? { phoneVerified: true } : {}) }),
      ...(Object.keys(profile).length === 0 ? {} : { profile }),
      ...(custom.length === 0 ? {} : { custom: Object.fromEntries(custom) }),
      status: user.isActive ? "active" : "suspended",
      registerSource: "bk-user",
    },
  };
}

function textOf({ created, updated, unchanged, units, refused }: Report, dryRun: boolean): string {
  const would = dryRun ? "would be " : "";
  const lines = [`users: ${created} ${would}created, ${updated} ${would}changed, ${unchanged} as they were`];
  if (units) lines.push(`departments: ${units.created} created, ${units.memberships} memberships changed`);
  if (refused.length === 0) return lines.join("\n");
  const rows = refused.map(({ row, username, reason }) => [row, username, reason]);
  return [...lines, `refused: ${refused.length}`, "", table(["ROW", "USERNAME", "REASON"], rows)].join("\n");
}
