import type {
  ConfigurationGroup,
  ConfigurationOrganization,
  ConfigurationTenant,
  ConfigurationUnit,
  Unit,
  UnitMember,
} from "@ostiary/contracts";
import { listGroupMembers, listGroups } from "../groups/index.ts";
import {
  addRankedMembers,
  createRankedGroup,
  removeRankedMembers,
  updateRankedGroup,
} from "../levels/index.ts";
import {
  createOrganization,
  createUnit,
  listOrganizations,
  listUnitMembers,
  listUnits,
  putUnitMember,
  removeUnitMember,
  updateOrganization,
  updateUnit,
} from "../organizations/index.ts";
import { present } from "./apply-access.ts";
import { resolveUser } from "./apply-users.ts";
import { differences, fieldsNamed } from "./differences.ts";
import { checkFixed, everyItem, forEachEntry, type TenantRun } from "./run.ts";

/** Members changed in one step. */
const MEMBERS = 1_000;

/** Groups by code, with their members. */
export async function applyGroups(
  run: TenantRun,
  entries: ConfigurationTenant["groups"],
  path: string,
): Promise<void> {
  if (!entries?.length) return;
  const { deps, context, report, tenant } = run;
  const known = await present(run, listGroups, ({ code }) => code);
  await forEachEntry<ConfigurationGroup>(entries, path, async (entry) => {
    const { id, serial, members, ...wanted } = entry;
    const found = known.get(entry.code);
    if (!found) {
      const made = await createRankedGroup(deps, context, { ...wanted, id, serial });
      known.set(entry.code, made);
      await applyGroupMembers(run, made.id, members);
      return report.created(tenant, "group", entry.code, Object.keys(entry));
    }
    checkFixed(found, { id, serial });
    const fields = differences(found, wanted);
    if (fields.length > 0) await updateRankedGroup(deps, context, found.id, fieldsNamed(wanted, fields));
    if (await applyGroupMembers(run, found.id, members)) fields.push("members");
    report.updated(tenant, "group", entry.code, fields);
  });
}

async function applyGroupMembers(
  run: TenantRun,
  groupId: string,
  members: readonly string[] | undefined,
): Promise<boolean> {
  if (!members) return false;
  const { deps, context } = run;
  const wanted = new Set<string>();
  for (const [index, name] of members.entries())
    wanted.add(await resolveUser(run, name, `/members/${index}`));
  const before = new Set<string>();
  const listed = everyItem((page) => listGroupMembers(deps, context, groupId, page));
  for await (const { userId } of listed) before.add(userId);
  const missing = [...wanted].filter((id) => !before.has(id));
  const extra = [...before].filter((id) => !wanted.has(id));
  for (let at = 0; at < missing.length; at += MEMBERS) {
    await addRankedMembers(deps, context, groupId, missing.slice(at, at + MEMBERS));
  }
  for (let at = 0; at < extra.length; at += MEMBERS) {
    await removeRankedMembers(deps, context, groupId, extra.slice(at, at + MEMBERS));
  }
  return missing.length + extra.length > 0;
}

/** Organizations by code, with their units and members. Units that the file does not name stay. */
export async function applyOrganizations(
  run: TenantRun,
  entries: ConfigurationTenant["organizations"],
  path: string,
): Promise<void> {
  if (!entries?.length) return;
  const { deps, context, report, tenant } = run;
  const known = await present(run, listOrganizations, ({ code }) => code);
  await forEachEntry<ConfigurationOrganization>(entries, path, async (entry, _path) => {
    const { id, serial, members, units, ...wanted } = entry;
    const found = known.get(entry.code);
    const organization = found ?? (await createOrganization(deps, context, { ...wanted, id, serial }));
    known.set(entry.code, organization);
    checkFixed(organization, { id, serial });
    const root = organization.rootUnitId ?? "";
    const fields = found ? differences(found, wanted) : [];
    if (fields.length > 0) {
      await updateOrganization(deps, context, organization.id, fieldsNamed(wanted, fields));
    }
    if (await applyUnitMembers(run, root, members)) fields.push("members");
    if (found) report.updated(tenant, "organization", entry.code, fields);
    else {
      const named = Object.keys(entry).filter((name) => name !== "units");
      report.created(tenant, "organization", entry.code, named);
    }
    const present = new Map<string, Unit>();
    const query = { organizationId: organization.id };
    for await (const unit of everyItem((page) => listUnits(deps, context, { ...query, ...page }))) {
      present.set(unit.code, unit);
    }
    await applyUnits({ ...run, organization, present }, root, units, "/units");
  });
}

interface OrganizationRun extends TenantRun {
  organization: { id: string; code: string };
  /** Its units by code. */
  present: Map<string, Unit>;
}

async function applyUnits(
  run: OrganizationRun,
  parentId: string,
  entries: readonly ConfigurationUnit[] | undefined,
  path: string,
): Promise<void> {
  const { deps, context, report, tenant, organization, present } = run;
  await forEachEntry(entries, path, async (entry) => {
    const { members, units, ...wanted } = entry;
    const name = `${organization.code}/${entry.code}`;
    const found = present.get(entry.code);
    const input = { ...wanted, organizationId: organization.id, parentId };
    const unit = found ?? (await createUnit(deps, context, input));
    present.set(entry.code, unit);
    const fields = found ? differences(found, { ...wanted, parentId }) : [];
    if (fields.length > 0) {
      await updateUnit(deps, context, unit.id, fieldsNamed({ ...wanted, parentId }, fields));
    }
    if (await applyUnitMembers(run, unit.id, members)) fields.push("members");
    if (found) report.updated(tenant, "unit", name, fields);
    else {
      const named = Object.keys(entry).filter((field) => field !== "units");
      report.created(tenant, "unit", name, named);
    }
    await applyUnits(run, unit.id, units, "/units");
  });
}

async function applyUnitMembers(
  run: TenantRun,
  unitId: string,
  members: ConfigurationUnit["members"],
): Promise<boolean> {
  if (!members) return false;
  const { deps, context } = run;
  const before = new Map<string, UnitMember>();
  const listed = everyItem((page) => listUnitMembers(deps, context, unitId, page));
  for await (const member of listed) before.set(member.userId, member);
  let changed = false;
  const wanted = new Set<string>();
  for (const [index, given] of members.entries()) {
    const { user, ...values } = typeof given === "string" ? { user: given } : given;
    const userId = await resolveUser(run, user, `/members/${index}`);
    wanted.add(userId);
    const found = before.get(userId);
    if (found && differences(found, values).length === 0) continue;
    await putUnitMember(deps, context, unitId, userId, values);
    changed = true;
  }
  for (const userId of before.keys()) {
    if (wanted.has(userId)) continue;
    await removeUnitMember(deps, context, unitId, userId);
    changed = true;
  }
  return changed;
}
