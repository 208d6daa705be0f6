import type { Queryable } from "../../platform/database/types.ts";
import type { SubjectRef, TenantModel } from "./engine/index.ts";
import { GRANT_JSON } from "./grant.store.ts";

/**
 * As much of the tenant's model as concerns one subject: its groups, its units and their ancestors, what is given to
 * all of these, the roles among that with their ancestors, and what is given to those.
 */
const SUBJECT_MODEL = `
  with recursive
    memberships as (
      select 'group' as type, group_id as id from group_members where tenant_id = $1 and $2 = 'user' and user_id = $3
      union all
      select 'unit', unit_id from unit_members where tenant_id = $1 and $2 = 'user' and user_id = $3),
    lineage as (
      select u.id, u.code, u.organization_id, u.parent_id from units u
       where u.tenant_id = $1
         and u.id = any(array(select id from memberships where type = 'unit' union all select $3 where $2 = 'unit'))
      union
      select p.id, p.code, p.organization_id, p.parent_id
        from lineage l join units p on p.tenant_id = $1 and p.id = l.parent_id),
    principals as (
      select $2::text as type, $3::text as id union select type, id from memberships
      union select 'unit', id from lineage),
    given as (
      select g.* from principals p
        join access_grants g on g.tenant_id = $1 and g.subject_type = p.type and g.subject_id = p.id and g.enabled),
    own_roles as (
      select role_id as id from given where role_id is not null union select $3 where $2 = 'role'
      union
      select r.parent_id from own_roles o join roles r on r.tenant_id = $1 and r.id = o.id
       where r.parent_id is not null),
    grants as (
      select * from given
      union all
      select g.* from own_roles o
        join access_grants g on g.tenant_id = $1 and g.subject_type = 'role' and g.subject_id = o.id and g.enabled
       where $2 <> 'role' or o.id <> $3)
  select
    coalesce((select jsonb_agg(jsonb_build_object('id', r.id, 'namespace', r.namespace, 'code', r.code,
                                 'parentId', r.parent_id, 'permissions', r.permissions))
                from roles r where r.tenant_id = $1 and r.id in (select id from own_roles)), '[]') as roles,
    coalesce((select jsonb_agg(jsonb_build_object('id', p.id, 'namespace', p.namespace, 'code', p.code,
                                 'statements', p.statements))
                from policies p where p.tenant_id = $1 and p.id in (select policy_id from grants)), '[]') as policies,
    coalesce((select jsonb_agg(jsonb_build_object('id', g.id, 'code', g.code, 'level', g.level))
                from groups g where g.tenant_id = $1
                 and (g.id in (select id from memberships where type = 'group') or ($2 = 'group' and g.id = $3))),
             '[]') as groups,
    coalesce((select jsonb_agg(jsonb_build_object('id', id, 'code', code, 'organizationId', organization_id,
                                 'parentId', parent_id)) from lineage), '[]') as units,
    coalesce((select jsonb_agg(jsonb_build_object('of', jsonb_build_object('type', type, 'id', id),
                                 'userIds', jsonb_build_array($3::text))) from memberships), '[]') as members,
    coalesce((select jsonb_agg(${GRANT_JSON}) from grants g), '[]') as grants`;

/** The rights of one subject as the database has them now; whether it is active is another question. */
export async function selectSubjectModel(
  database: Queryable,
  tenantId: string,
  { type, id }: SubjectRef,
): Promise<TenantModel> {
  const [row] = await database.query<Omit<TenantModel, "inactive" | "resources">>(SUBJECT_MODEL, [
    tenantId,
    type,
    id,
  ]);
  if (!row) throw new Error("an aggregate without a row");
  return { ...row, resources: [], inactive: [] };
}

/** Of users and applications: whether it may act; null when there is none. Others are never inactive. */
export async function selectIsActive(
  database: Queryable,
  tenantId: string,
  { type, id }: SubjectRef,
): Promise<boolean | null> {
  if (type !== "user" && type !== "application") return true;
  const [row] = await database.query<{ active: boolean }>(
    type === "user"
      ? "select status = 'active' as active from users where tenant_id = $1 and id = $2"
      : "select status = 'active' as active from applications where tenant_id = $1 and id = $2",
    [tenantId, id],
  );
  return row?.active ?? null;
}
