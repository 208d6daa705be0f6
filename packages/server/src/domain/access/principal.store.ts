import type { UserProfile, UserStatus } from "@ostiary/contracts";
import type { Queryable } from "../../platform/database/types.ts";

export interface PrincipalRow {
  serial: number;
  username: string | null;
  email: string | null;
  emailVerified: boolean;
  phone: string | null;
  phoneVerified: boolean;
  nickname: string | null;
  name: string | null;
  profile: UserProfile;
  status: UserStatus;
  createdAt: Date;
  updatedAt: Date;
  roles: string[];
  permissionCodes: string[];
}

/** A user with the names of his roles and what they permit: one statement, as every cold verification needs it. */
export async function selectPrincipal(
  database: Queryable,
  tenantId: string,
  userId: string,
): Promise<PrincipalRow | undefined> {
  const [row] = await database.query<PrincipalRow>(
    `select u.serial, u.username, u.email, u.email_verified as "emailVerified", u.phone,
            u.phone_verified as "phoneVerified", u.nickname, u.name, u.profile, u.status,
            u.created_at as "createdAt", u.updated_at as "updatedAt", access.roles, access."permissionCodes"
       from users u
       cross join lateral (
         select coalesce(array_agg(distinct case when r.namespace = 'default' then r.code
                                                 else r.namespace || '/' || r.code end)
                           filter (where r.id is not null), '{}') as roles,
                coalesce(array_agg(distinct p.code) filter (where p.code is not null), '{}') as "permissionCodes"
           from role_assignments a
           join roles r on r.tenant_id = a.tenant_id and r.id = a.role_id
           left join lateral unnest(r.permissions) as p(code) on true
          where a.tenant_id = u.tenant_id and a.user_id = u.id) access
      where u.tenant_id = $1 and u.id = $2`,
    [tenantId, userId],
  );
  return row;
}
