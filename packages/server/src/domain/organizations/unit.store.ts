import type { Unit, UnitMember } from "@ostiary/contracts";
import type { Queryable, Transaction } from "../../platform/database/types.ts";
import { violatedConstraint } from "../../platform/database/unique-violation.ts";

type UnitRow = Omit<Unit, "createdAt" | "updatedAt"> & { createdAt: Date; updatedAt: Date };

/** The path is walked up for each row: trees are flat, and nothing has to be kept right when a unit moves. */
const COLUMNS = `u.id, u.serial, u.organization_id as "organizationId", u.parent_id as "parentId", u.code, u.name, u.names,
  u.description, u.position, u.version, u.created_at as "createdAt", u.updated_at as "updatedAt",
  (with recursive up as (
     select u.id, u.parent_id, 0 as step
     union all
     select p.id, p.parent_id, up.step + 1 from up join units p on p.tenant_id = u.tenant_id and p.id = up.parent_id)
   select array_agg(id order by step desc) from up) as path`;

function toUnit(row: UnitRow): Unit {
  return { ...row, createdAt: row.createdAt.toISOString(), updatedAt: row.updatedAt.toISOString() };
}

export type NewUnit = Pick<
  Unit,
  "id" | "organizationId" | "parentId" | "code" | "name" | "names" | "description" | "position"
>;

/** False when the organization has a unit with this code. */
export async function insertUnit(
  tx: Transaction,
  tenantId: string,
  { id, organizationId, parentId, code, name, names, description, position }: NewUnit,
  now: Date,
): Promise<boolean> {
  const rows = await tx.query<{ id: string }>(
    `insert into units (tenant_id, id, organization_id, parent_id, code, name, names, description, position, created_at,
                        updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
     on conflict (tenant_id, organization_id, code) do nothing returning id`,
    [tenantId, id, organizationId, parentId, code, name, JSON.stringify(names), description, position, now],
  );
  return rows.length === 1;
}

export async function selectUnit(
  database: Queryable,
  tenantId: string,
  id: string,
): Promise<Unit | undefined> {
  const [row] = await database.query<UnitRow>(
    `select ${COLUMNS} from units u where u.tenant_id = $1 and u.id = $2`,
    [tenantId, id],
  );
  return row && toUnit(row);
}

export async function lockUnit(tx: Transaction, tenantId: string, id: string): Promise<Unit | undefined> {
  await tx.query("select id from units where tenant_id = $1 and id = $2 for update", [tenantId, id]);
  return selectUnit(tx, tenantId, id);
}

export interface UnitFilter {
  organizationId?: string | undefined;
  /** Only the units directly below this one. */
  parentId?: string | undefined;
  /** Part of code or name, in any case. */
  search?: string | undefined;
}

/** Newest first, only ids below `after`. */
export async function selectUnits(
  database: Queryable,
  tenantId: string,
  { organizationId, parentId, search }: UnitFilter,
  after: string | undefined,
  limit: number,
): Promise<Unit[]> {
  const rows = await database.query<UnitRow>(
    `select ${COLUMNS} from units u
      where u.tenant_id = $1 and ($2::text is null or u.id < $2)
        and ($3::text is null or u.organization_id = $3) and ($4::text is null or u.parent_id = $4)
        and ($5::text is null or position(lower($5) in lower(u.code || ' ' || u.name)) > 0)
      order by u.id desc limit $6`,
    [tenantId, after ?? null, organizationId ?? null, parentId ?? null, search ?? null, limit],
  );
  return rows.map(toUnit);
}

export async function writeUnit(
  tx: Transaction,
  tenantId: string,
  { id, parentId, code, name, names, description, position }: Unit,
  now: Date,
): Promise<"written" | "taken"> {
  try {
    await tx.query(
      `update units set parent_id = $3, code = $4, name = $5, names = $6, description = $7, position = $8,
              version = version + 1, updated_at = $9 where tenant_id = $1 and id = $2`,
      [tenantId, id, parentId, code, name, JSON.stringify(names), description, position, now],
    );
    return "written";
  } catch (error) {
    if (violatedConstraint(error) === "units_tenant_id_organization_id_code_key") return "taken";
    throw error;
  }
}

/** The unit and all below it, with how deep each is below the unit. */
export function selectSubtree(
  database: Queryable,
  tenantId: string,
  id: string,
): Promise<{ id: string; depth: number }[]> {
  return database.query(
    `with recursive below as (
       select id, 0 as depth from units where tenant_id = $1 and id = $2
       union all
       select u.id, b.depth + 1 from below b join units u on u.tenant_id = $1 and u.parent_id = b.id)
     select id, depth from below`,
    [tenantId, id],
  );
}

export async function deleteUnitRow(tx: Transaction, tenantId: string, id: string): Promise<void> {
  await tx.query("delete from units where tenant_id = $1 and id = $2", [tenantId, id]);
}

type MemberRow = Omit<UnitMember, "joinedAt"> & { joinedAt: Date };

const MEMBER_COLUMNS = `unit_id as "unitId", user_id as "userId", main, position, created_at as "joinedAt"`;

function toMember(row: MemberRow): UnitMember {
  return { ...row, joinedAt: row.joinedAt.toISOString() };
}

/** Newest users first, only ids below `after`. */
export async function selectUnitMembers(
  database: Queryable,
  tenantId: string,
  unitId: string,
  after: string | undefined,
  limit: number,
): Promise<UnitMember[]> {
  const rows = await database.query<MemberRow>(
    `select ${MEMBER_COLUMNS} from unit_members
      where tenant_id = $1 and unit_id = $2 and ($3::text is null or user_id < $3)
      order by user_id desc limit $4`,
    [tenantId, unitId, after ?? null, limit],
  );
  return rows.map(toMember);
}

/** All units that a user is in, the main one first. */
export async function selectUnitsOfUser(
  database: Queryable,
  tenantId: string,
  userId: string,
): Promise<UnitMember[]> {
  const rows = await database.query<MemberRow>(
    `select ${MEMBER_COLUMNS} from unit_members where tenant_id = $1 and user_id = $2 order by main desc, unit_id`,
    [tenantId, userId],
  );
  return rows.map(toMember);
}

export async function selectUnitMember(
  database: Queryable,
  tenantId: string,
  unitId: string,
  userId: string,
): Promise<UnitMember | undefined> {
  const [row] = await database.query<MemberRow>(
    `select ${MEMBER_COLUMNS} from unit_members where tenant_id = $1 and unit_id = $2 and user_id = $3`,
    [tenantId, unitId, userId],
  );
  return row && toMember(row);
}

/** Locks the user, so that one unit at a time becomes his main one. False when there is no such user or it is deleted. */
export async function lockUser(tx: Transaction, tenantId: string, userId: string): Promise<boolean> {
  const rows = await tx.query<{ id: string }>(
    "select id from users where tenant_id = $1 and id = $2 and status <> 'deleted' for no key update",
    [tenantId, userId],
  );
  return rows.length === 1;
}

/** Makes or changes a membership. A main one takes that from the user's other units. */
export async function writeUnitMember(
  tx: Transaction,
  tenantId: string,
  { unitId, userId, main, position }: Omit<UnitMember, "joinedAt">,
  now: Date,
): Promise<void> {
  if (main) {
    await tx.query(
      "update unit_members set main = false where tenant_id = $1 and user_id = $2 and unit_id <> $3 and main",
      [tenantId, userId, unitId],
    );
  }
  await tx.query(
    `insert into unit_members (tenant_id, unit_id, user_id, main, position, created_at) values ($1, $2, $3, $4, $5, $6)
     on conflict (tenant_id, unit_id, user_id) do update set main = excluded.main, position = excluded.position`,
    [tenantId, unitId, userId, main, position, now],
  );
}

export async function deleteUnitMember(
  tx: Transaction,
  tenantId: string,
  unitId: string,
  userId: string,
): Promise<boolean> {
  const rows = await tx.query<{ userId: string }>(
    "delete from unit_members where tenant_id = $1 and unit_id = $2 and user_id = $3 returning user_id",
    [tenantId, unitId, userId],
  );
  return rows.length === 1;
}
