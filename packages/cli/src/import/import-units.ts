import { createHash } from "node:crypto";
import type { Organization, Unit, UnitMember } from "@ostiary/contracts";
import type { Client } from "../client.ts";
import { pathOf } from "../find.ts";

export interface UnitsResult {
  created: number;
  /** Users who were put into a unit or taken out of one. */
  memberships: number;
}

/** More than an organization has. */
const MANY = 1_000_000;

/** A department by its names from the outermost on. */
type Path = readonly string[];

/**
 * Makes departments units of one organization, and people their members; the first department of a person is the main
 * one. Units and people that the file does not name are left alone.
 *
 * @param people - departments by the id of the user.
 */
export async function importUnits(
  client: Client,
  organization: { code: string; name: string },
  people: ReadonlyMap<string, readonly Path[]>,
  progress: (done: number, all: number) => void,
): Promise<UnitsResult> {
  const result: UnitsResult = { created: 0, memberships: 0 };
  const { id: organizationId, rootUnitId } = await ensureOrganization(client, organization);
  const units = await client.list<Unit>("/units", { organizationId }, MANY);
  const ids = new Map(units.map((unit) => [unit.code, unit.id]));
  const unitOf = async (path: Path): Promise<string> => {
    const code = codeOf(path);
    const known = ids.get(code);
    if (known !== undefined) return known;
    const parentId = path.length > 1 ? await unitOf(path.slice(0, -1)) : rootUnitId;
    const body = { organizationId, parentId, code, name: path.at(-1) };
    const { id } = await client.call<Unit>("POST", "/units", body);
    ids.set(code, id);
    result.created++;
    return id;
  };
  const present = await membershipsOf(
    client,
    units.filter(({ code }) => code.startsWith(PREFIX)).map(({ id }) => id),
  );
  let done = 0;
  for (const [userId, paths] of people) {
    const wanted: string[] = [];
    for (const path of paths) wanted.push(await unitOf(path));
    result.memberships += await placeUser(client, userId, wanted, present.get(userId) ?? new Map());
    progress(++done, people.size);
  }
  return result;
}

/** So units that were made here are told from others of the organization. */
const PREFIX = "bk-";

/** Of a whole path: departments of the same name are many, and a second import must find the same one. */
function codeOf(path: Path): string {
  return PREFIX + createHash("sha256").update(path.join("/")).digest("hex").slice(0, 24);
}

async function ensureOrganization(
  client: Client,
  { code, name }: { code: string; name: string },
): Promise<Organization> {
  const found = await client.list<Organization>("/organizations", { search: code }, MANY);
  return (
    found.find((one) => one.code === code) ??
    client.call<Organization>("POST", "/organizations", { code, name })
  );
}

/** Who is in which of the units: by user, then unit. */
async function membershipsOf(
  client: Client,
  unitIds: readonly string[],
): Promise<Map<string, Map<string, UnitMember>>> {
  const present = new Map<string, Map<string, UnitMember>>();
  for (const unitId of unitIds) {
    for (const member of await client.list<UnitMember>(`${pathOf("/units", unitId)}/members`, {}, MANY)) {
      const mine = present.get(member.userId) ?? new Map<string, UnitMember>();
      present.set(member.userId, mine.set(unitId, member));
    }
  }
  return present;
}

/** @returns how many memberships changed. */
async function placeUser(
  client: Client,
  userId: string,
  wanted: readonly string[],
  present: ReadonlyMap<string, UnitMember>,
): Promise<number> {
  let changed = 0;
  for (const [index, unitId] of wanted.entries()) {
    const member = present.get(unitId);
    if (member && (member.main || index > 0)) continue;
    const body = index === 0 ? { main: true } : {};
    await client.call("PUT", `${pathOf("/units", unitId)}/members/${userId}`, body);
    changed++;
  }
  for (const unitId of present.keys()) {
    if (wanted.includes(unitId)) continue;
    await client.call("DELETE", `${pathOf("/units", unitId)}/members/${userId}`);
    changed++;
  }
  return changed;
}
