import type { UserPreferences, UserStatus } from "@ostiary/contracts";
import type { Queryable, SqlValue } from "../../platform/database/types.ts";

/** A user as Zibanu's answers show him. */
export interface PersonRow {
  id: string;
  serial: number;
  username: string | null;
  email: string | null;
  givenName: string;
  familyName: string;
  status: UserStatus;
  lastLoginAt: Date | null;
  preferences: UserPreferences;
  isSuperuser: boolean;
  isStaff: boolean;
  /** By serial. */
  groups: readonly { serial: number; name: string; level: number | null }[];
}

/**
 * Who holds one of two roles, `$2` and `$3`: himself, as a member of a group or unit, of a sub-unit that inherits it,
 * or by a role that descends from it.
 */
const HOLDERS = `with recursive
  named as (select id, code = $2 as super from roles
             where tenant_id = $1 and namespace = 'default' and code in ($2, $3)),
  kin as (select id, super from named
          union select r.id, k.super from kin k join roles r on r.tenant_id = $1 and r.parent_id = k.id),
  given as (select a.user_id, a.group_id, a.unit_id, a.inherit, k.super from kin k
              join access_grants a on a.tenant_id = $1 and a.role_id = k.id and a.enabled),
  below as (select unit_id as id, inherit, super from given where unit_id is not null
            union select u.id, true, b.super from below b
                    join units u on u.tenant_id = $1 and u.parent_id = b.id where b.inherit),
  holders as (
    select user_id, bool_or(super) as super, bool_or(not super) as staff from (
      select user_id, super from given where user_id is not null
      union all select m.user_id, g.super from given g
                  join group_members m on m.tenant_id = $1 and m.group_id = g.group_id
      union all select m.user_id, b.super from below b
                  join unit_members m on m.tenant_id = $1 and m.unit_id = b.id) as each_way
    group by user_id)`;

const PEOPLE = `select u.id, u.serial, u.username, u.email, coalesce(u.profile ->> 'givenName', '') as "givenName",
       coalesce(u.profile ->> 'familyName', '') as "familyName", u.status, u.last_login_at as "lastLoginAt",
       u.preferences, coalesce(h.super, false) as "isSuperuser", coalesce(h.staff, false) as "isStaff",
       coalesce(m.groups, '[]') as groups
  from users u left join holders h on h.user_id = u.id
  left join lateral (
    select jsonb_agg(jsonb_build_object('serial', g.serial, 'name', g.name, 'level', g.level) order by g.serial) as groups
      from group_members m join groups g on g.tenant_id = m.tenant_id and g.id = m.group_id
     where m.tenant_id = $1 and m.user_id = u.id) m on true
 where u.tenant_id = $1 and u.status <> 'deleted'`;

export interface RoleCodes {
  superuser: string;
  staff: string;
}

export async function selectPerson(
  database: Queryable,
  tenantId: string,
  roles: RoleCodes,
  by: { id: string } | { serial: number } | { email: string },
): Promise<PersonRow | undefined> {
  const [condition, value]: [string, SqlValue] =
    "id" in by
      ? ["u.id = $4", by.id]
      : "serial" in by
        ? ["u.serial = $4::bigint", by.serial]
        : ["lower(u.email) = lower($4)", by.email];
  const [row] = await database.query<PersonRow>(`${HOLDERS} ${PEOPLE} and ${condition}`, [
    tenantId,
    roles.superuser,
    roles.staff,
    value,
  ]);
  return row;
}

/** Active ones, by given name. */
export function selectActivePeople(
  database: Queryable,
  tenantId: string,
  roles: RoleCodes,
  limit: number,
): Promise<PersonRow[]> {
  return database.query<PersonRow>(
    `${HOLDERS} ${PEOPLE} and u.status = 'active'
      order by coalesce(u.profile ->> 'givenName', '') collate "C", u.serial limit $4`,
    [tenantId, roles.superuser, roles.staff, limit],
  );
}
