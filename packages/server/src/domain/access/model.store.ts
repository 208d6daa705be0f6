import type { Database, Queryable, Transaction } from "../../platform/database/types.ts";
import type {
  AccessChange,
  AccessGroup,
  AccessPolicy,
  AccessResource,
  AccessRole,
  AccessUnit,
  Grant,
  Members,
  SubjectRef,
  TenantModel,
} from "./engine/index.ts";
import { GRANT_JSON } from "./grant.store.ts";

/** Rows read, and given to the engine, at a time. */
const BATCH = 5_000;
/** Groups or units whose members are given at a time. */
const MEMBER_BATCH = 500;

const RESOURCES =
  "id, namespace, code, type, array(select a ->> 'name' from jsonb_array_elements(actions) a) as actions";
const ROLES = `id, namespace, code, parent_id as "parentId", permissions`;
const POLICIES = "id, namespace, code, statements";
const UNITS = `id, code, organization_id as "organizationId", parent_id as "parentId"`;

/** A resource with its id, by which change notices name it. */
export type KeyedResource = AccessResource & { id: string };

export type ModelPart = Partial<Omit<TenantModel, "resources"> & { resources: readonly KeyedResource[] }>;

/** The whole model of a tenant as of one moment, in parts of some thousand rows. */
export async function readModel(
  database: Database,
  tenantId: string,
  take: (part: ModelPart) => Promise<void>,
): Promise<void> {
  await database.transaction(async (tx) => {
    await tx.query("set transaction isolation level repeatable read, read only");
    const all = <Row extends object>(columns: string, table: string) =>
      tx.query<Row>(`select ${columns} from ${table} where tenant_id = $1`, [tenantId]);
    await take({ resources: await all<KeyedResource>(RESOURCES, "resources") });
    await take({ roles: await all<AccessRole>(ROLES, "roles") });
    await take({ policies: await all<AccessPolicy>(POLICIES, "policies") });
    await take({ groups: await all<AccessGroup>("id, code, level", "groups") });
    await take({ units: await all<AccessUnit>(UNITS, "units") });
    await readMembers(tx, tenantId, take);
    await readGrants(tx, tenantId, take);
    await take({ inactive: await tx.query<SubjectRef>(INACTIVE, [tenantId]) });
  });
}

async function readMembers(
  tx: Transaction,
  tenantId: string,
  take: (part: ModelPart) => Promise<void>,
): Promise<void> {
  for (const type of ["group", "unit"] as const) {
    const rows = await tx.query<{ id: string; userIds: string[] }>(
      `select ${type}_id as id, array_agg(user_id) as "userIds" from ${type}_members
        where tenant_id = $1 group by ${type}_id`,
      [tenantId],
    );
    for (let from = 0; from < rows.length; from += MEMBER_BATCH) {
      const members: Members[] = rows
        .slice(from, from + MEMBER_BATCH)
        .map(({ id, userIds }) => ({ of: { type, id }, userIds }));
      await take({ members });
    }
  }
}

async function readGrants(
  tx: Transaction,
  tenantId: string,
  take: (part: ModelPart) => Promise<void>,
): Promise<void> {
  for (let after = ""; ; ) {
    const rows = await tx.query<{ id: string; grant: Grant }>(
      `select id, ${GRANT_JSON} as "grant" from access_grants g
        where tenant_id = $1 and id > $2 and enabled order by id limit ${BATCH}`,
      [tenantId, after],
    );
    await take({ grants: rows.map(({ grant }) => grant) });
    if (rows.length < BATCH) return;
    after = rows.at(-1)?.id ?? "";
  }
}

/** Only those to whom something was given: the others may do nothing anyway. */
const INACTIVE = `
  select 'user' as type, u.id from users u
   where u.tenant_id = $1 and u.status in ('suspended', 'deleted')
     and (exists (select from access_grants g where g.tenant_id = $1 and g.user_id = u.id)
          or exists (select from group_members m where m.tenant_id = $1 and m.user_id = u.id)
          or exists (select from unit_members m where m.tenant_id = $1 and m.user_id = u.id))
  union all
  select 'application', id from applications where tenant_id = $1 and status = 'disabled'`;

/** One thing that a change notice names: `<kind>:<id>`, of members `<kind>:<group or unit>:<user>`. */
export interface Part {
  kind: string;
  ids: readonly string[];
}

/**
 * The things that were named, as they are now: what is there is set, what is not is removed. Several of a kind are
 * read in one statement.
 */
export async function readParts(
  database: Queryable,
  tenantId: string,
  parts: readonly Part[],
): Promise<{ changes: AccessChange[]; resources: { id: string; now: KeyedResource | undefined }[] }> {
  const of = (kind: string) => parts.filter((part) => part.kind === kind).map(({ ids }) => ids[0] ?? "");
  const rowsOf = <Row extends { id: string }>(columns: string, table: string, ids: string[], where = "") =>
    ids.length === 0
      ? Promise.resolve(new Map<string, Row>())
      : database
          .query<Row>(`select ${columns} from ${table} where tenant_id = $1 and id = any($2) ${where}`, [
            tenantId,
            ids,
          ])
          .then((rows) => new Map(rows.map((row) => [row.id, row])));
  const changes: AccessChange[] = [];
  const roles = await rowsOf<AccessRole>(ROLES, "roles", of("role"));
  for (const id of of("role")) changes.push(setOrRemoved("role", id, roles.get(id)));
  const policies = await rowsOf<AccessPolicy>(POLICIES, "policies", of("policy"));
  for (const id of of("policy")) changes.push(setOrRemoved("policy", id, policies.get(id)));
  const groups = await rowsOf<AccessGroup>("id, code, level", "groups", of("group"));
  for (const id of of("group")) changes.push(setOrRemoved("group", id, groups.get(id)));
  const units = await rowsOf<AccessUnit>(UNITS, "units", of("unit"));
  for (const id of of("unit")) changes.push(setOrRemoved("unit", id, units.get(id)));
  const grants = await rowsOf<{ id: string; grant: Grant }>(
    `id, ${GRANT_JSON} as "grant"`,
    "access_grants g",
    of("grant"),
    "and enabled",
  );
  for (const id of of("grant")) changes.push(setOrRemoved("grant", id, grants.get(id)?.grant));
  for (const type of ["group", "unit"] as const) {
    const named = parts.filter(({ kind }) => kind === `${type}-member`).map(({ ids }) => ids);
    changes.push(...(await memberChanges(database, tenantId, type, named)));
  }
  const users = new Set([...of("user"), ...[...grants.values()].flatMap(({ grant }) => userOf(grant))]);
  for (const change of changes) if (change.type === "member.added") users.add(change.userId);
  changes.push(...(await statusChanges(database, tenantId, "user", [...users])));
  changes.push(...(await statusChanges(database, tenantId, "application", of("application"))));
  const resources = await rowsOf<KeyedResource>(RESOURCES, "resources", of("resource"));
  return { changes, resources: of("resource").map((id) => ({ id, now: resources.get(id) })) };
}

const userOf = ({ subject }: Grant): string[] => (subject.type === "user" ? [subject.id] : []);

function setOrRemoved(type: "role", id: string, value: AccessRole | undefined): AccessChange;
function setOrRemoved(type: "policy", id: string, value: AccessPolicy | undefined): AccessChange;
function setOrRemoved(type: "group", id: string, value: AccessGroup | undefined): AccessChange;
function setOrRemoved(type: "unit", id: string, value: AccessUnit | undefined): AccessChange;
function setOrRemoved(type: "grant", id: string, value: Grant | undefined): AccessChange;
function setOrRemoved(type: string, id: string, value: object | undefined): AccessChange {
  return (value ? { type: `${type}.set`, [type]: value } : { type: `${type}.removed`, id }) as AccessChange;
}

async function memberChanges(
  database: Queryable,
  tenantId: string,
  type: "group" | "unit",
  named: readonly (readonly string[])[],
): Promise<AccessChange[]> {
  if (named.length === 0) return [];
  const rows = await database.query<{ id: string; userId: string; member: boolean }>(
    `select n.id, n.user_id as "userId", m.user_id is not null as member
       from unnest($2::text[], $3::text[]) as n(id, user_id)
       left join ${type}_members m on m.tenant_id = $1 and m.${type}_id = n.id and m.user_id = n.user_id`,
    [tenantId, named.map(([id = ""]) => id), named.map(([, userId = ""]) => userId)],
  );
  return rows.map(({ id, userId, member }) => ({
    type: member ? "member.added" : "member.removed",
    of: { type, id },
    userId,
  }));
}

async function statusChanges(
  database: Queryable,
  tenantId: string,
  type: "user" | "application",
  ids: readonly string[],
): Promise<AccessChange[]> {
  if (ids.length === 0) return [];
  const rows = await database.query<{ id: string; active: boolean }>(
    `select n.id, coalesce(s.status = 'active', false) as active from unnest($2::text[]) as n(id)
       left join ${type}s s on s.tenant_id = $1 and s.id = n.id`,
    [tenantId, ids],
  );
  return rows.map(({ id, active }) => ({
    type: active ? "subject.activated" : "subject.deactivated",
    subject: { type, id },
  }));
}
