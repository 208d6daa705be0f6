import { readFile } from "node:fs/promises";
import type { Group, Role, User } from "@ostiary/contracts";
import type { Command } from "commander";
import { type Client, type ConnectionOptions, withClient } from "../client.ts";
import { EXIT, Failure } from "../failure.ts";
import { type DjangoData, type DjangoGroup, type DjangoUser, fromDump } from "../import/django-data.ts";
import { isDatabase, readDatabase } from "../import/django-database.ts";
import { importPictures } from "../import/django-pictures.ts";
import {
  groupCode,
  phoneOf,
  reasonAgainst,
  roleOfGroup,
  roleOfUser,
  toPermissionCodes,
  toWanted,
  type WantedRole,
} from "../import/django-words.ts";
import { importUsers, type Refusal } from "../import/import-users.ts";
import { createProgress } from "../import/progress.ts";
import { connected } from "../options.ts";
import { answer, table } from "../output.ts";

interface Options extends ConnectionOptions {
  dryRun?: boolean;
  verified?: boolean;
  staffRole: string;
  media?: string;
}

export function djangoCommand(): Command {
  return connected(
    "django",
    "Import users, groups and permissions of a Django project, Zibanu's profiles too",
    [
      "ostiary import django dump.json --dry-run",
      "ostiary import django db.sqlite3 --verified --media /srv/project/media",
      "ostiary import django postgres://reader@db.example.com/project",
    ],
  )
    .argument(
      "<source>",
      "what `manage.py dumpdata auth contenttypes zb_auth` wrote, a file of SQLite, or a PostgreSQL address",
    )
    .option("--dry-run", "say what would be done, and do nothing")
    .option("--verified", "take e-mail addresses as verified")
    .option("--staff-role <code>", "the role that stands for is_staff", "staff")
    .option("--media <folder>", "the project's MEDIA_ROOT: pictures of profiles come along")
    .addHelpText(
      "after",
      "\nMay be repeated: users are found by their number in Django again, and only what differs is changed. Nobody is\n" +
        "deleted, and a password or picture that people have here stays. Passwords go on working: nobody has to choose a new one.",
    )
    .action(run);
}

async function run(source: string, options: Options): Promise<void> {
  const data = await read(source);
  const report = await withClient(options, (client) => importAll(client, data, options));
  answer(options.json, report, () => textOf(report));
  if (report.refused.length > 0) process.exitCode = EXIT.failed;
}

async function read(source: string): Promise<DjangoData> {
  try {
    return await (isDatabase(source) ? readDatabase(source) : fromDump(await readFile(source, "utf8")));
  } catch (error) {
    const place = source.replace(/:\/\/[^@/]*@/, "://…@"); // it may hold a password
    throw new Failure(`${place} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

interface Report {
  dryRun: boolean;
  created: number;
  updated: number;
  unchanged: number;
  groups: number;
  memberships: number;
  /** Permissions of Django that nothing here corresponds to, or that were not complete. */
  lost: string[];
  refused: Refusal[];
  pictures: number;
  /** What did not come along of users who did: numbers and pictures. */
  skipped: Refusal[];
}

async function importAll(client: Client, data: DjangoData, options: Options): Promise<Report> {
  const dryRun = options.dryRun === true;
  const refused: Refusal[] = [];
  const good = data.users.filter((user) => {
    const reason = reasonAgainst(user);
    if (reason !== undefined) refused.push({ row: user.id, username: user.username, reason });
    return reason === undefined;
  });
  const skipped = phonesLeftOut(good);
  const without = new Set(skipped.map(({ row }) => row));
  const { staffRole } = options;
  const wanted = good.map((user) =>
    toWanted(user, { verified: options.verified === true, staffRole, takesPhone: !without.has(user.id) }),
  );
  const users = await importUsers(client, wanted, { dryRun, progress: createProgress("users") });
  const all = [...data.users, ...data.groups].flatMap(
    ({ permissions }) => toPermissionCodes(permissions).lost,
  );
  const report: Report = {
    dryRun,
    created: users.created,
    updated: users.updated,
    unchanged: users.unchanged,
    groups: data.groups.length,
    memberships: 0,
    lost: [...new Set(all)].sort(),
    refused: [...refused, ...users.refused].sort((a, b) => a.row - b.row),
    pictures: 0,
    skipped,
  };
  if (dryRun) return report;
  const roles = [
    { code: options.staffRole, name: "Staff", permissions: [] },
    ...good.flatMap((user) => roleOfUser(user) ?? []),
    ...data.groups.flatMap((group) => roleOfGroup(group) ?? []),
  ];
  const known = await writeRoles(client, roles);
  await assignRoles(client, wanted, users.ids);
  const groups = await writeGroups(client, data.groups, known);
  for (const user of good) {
    const id = users.ids.get(`django:${user.id}`);
    for (const one of id === undefined ? [] : user.groups) {
      const group = groups.get(one);
      if (!group) continue;
      const { changed } = await client.call<{ changed: number }>("POST", `/groups/${group}/members/add`, {
        userIds: [id],
      });
      report.memberships += changed;
    }
  }
  const pictures = await importPictures(client, good, users.ids, {
    media: options.media,
    progress: createProgress("pictures"),
  });
  report.pictures = pictures.given;
  report.skipped = [...skipped, ...pictures.skipped].sort((a, b) => a.row - b.row);
  return report;
}

/** A number is one person's here: of several who share one the first keeps it. */
function phonesLeftOut(users: readonly DjangoUser[]): Refusal[] {
  const owners = new Map<string, number>();
  return users.flatMap((user) => {
    const { id: row, username } = user;
    const { phone, lost } = phoneOf(user);
    if (lost !== undefined) return { row, username, reason: `${lost} is no phone number` };
    if (phone === undefined) return [];
    const owner = owners.get(phone) ?? row;
    owners.set(phone, owner);
    return owner === row ? [] : { row, username, reason: `${phone} is the number of user ${owner} too` };
  });
}

/** @returns the ids of roles by code. */
async function writeRoles(client: Client, wanted: readonly WantedRole[]): Promise<Map<string, string>> {
  const existing = await client.list<Role>("/roles", { namespace: "default" }, 100_000);
  const known = new Map(existing.map((role) => [role.code, role]));
  const ids = new Map(existing.map(({ code, id }) => [code, id]));
  for (const role of wanted) {
    const before = known.get(role.code);
    if (!before) ids.set(role.code, (await client.call<Role>("POST", "/roles", role)).id);
    else if (role.permissions.length > 0 && before.permissions.join() !== role.permissions.join()) {
      await client.call("PATCH", `/roles/${before.id}`, { permissions: role.permissions });
    }
  }
  return ids;
}

async function assignRoles(
  client: Client,
  wanted: readonly { externalId: string; roles: string[] }[],
  ids: ReadonlyMap<string, string>,
): Promise<void> {
  const progress = createProgress("roles");
  const some = wanted.filter(({ roles }) => roles.length > 0);
  for (const [index, { externalId, roles }] of some.entries()) {
    const id = ids.get(externalId);
    progress(index + 1, some.length);
    if (id === undefined) continue;
    const user = await client.call<User>("GET", `/users/${id}`);
    const missing = roles.filter((role) => !user.roles.includes(role));
    if (missing.length > 0) await client.call("POST", `/users/${id}/roles/assign`, { roles: missing });
  }
}

/** @returns the ids of groups by their number in Django. */
async function writeGroups(
  client: Client,
  wanted: readonly DjangoGroup[],
  roles: ReadonlyMap<string, string>,
): Promise<Map<number, string>> {
  const existing = await client.list<Group>("/groups", {}, 100_000);
  const known = new Map(existing.map((group) => [group.code, group]));
  const ids = new Map<number, string>();
  for (const group of wanted) {
    const code = groupCode(group);
    const value = { name: group.name.slice(0, 128), level: group.level };
    const before = known.get(code);
    const { id } = before ?? (await client.call<Group>("POST", "/groups", { code, ...value }));
    if (before && (before.name !== value.name || before.level !== value.level)) {
      await client.call("PATCH", `/groups/${id}`, value);
    }
    const roleId = roleOfGroup(group) && roles.get(`django-group-${group.id}`);
    if (roleId) await client.call("POST", "/access-grants", { subject: { type: "group", id }, roleId });
    ids.set(group.id, id);
  }
  return ids;
}

function textOf(report: Report): string {
  const { created, updated, unchanged, groups, memberships, lost, refused, dryRun, skipped } = report;
  const would = dryRun ? "would be " : "";
  const lines = [
    `users: ${created} ${would}created, ${updated} ${would}changed, ${unchanged} as they were`,
    dryRun ? `groups: ${groups}` : `groups: ${groups}, ${memberships} memberships added`,
  ];
  if (lost.length > 0) lines.push(`permissions without a counterpart here: ${lost.join(", ")}`);
  if (report.pictures > 0) lines.push(`pictures: ${report.pictures}`);
  for (const [what, some] of [
    ["left out of users who came along", skipped],
    ["refused", refused],
  ] as const) {
    if (some.length === 0) continue;
    const rows = some.map(({ row, username, reason }) => [row, username, reason]);
    lines.push(`${what}: ${some.length}`, "", table(["ID", "USERNAME", "REASON"], rows));
  }
  return lines.join("\n");
}
