import type { JsonValue, UserProfile, UserStatus } from "@ostiary/contracts";
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
  custom: Record<string, JsonValue>;
  status: UserStatus;
  createdAt: Date;
  updatedAt: Date;
}

/** A user without his rights; deleted ones too. */
export async function selectPrincipal(
  database: Queryable,
  tenantId: string,
  userId: string,
): Promise<PrincipalRow | undefined> {
  const [row] = await database.query<PrincipalRow>(
    `select u.serial, u.username, u.email, u.email_verified as "emailVerified", u.phone,
            u.phone_verified as "phoneVerified", u.nickname, u.name, u.profile, u.custom, u.status,
            u.created_at as "createdAt", u.updated_at as "updatedAt"
       from users u where u.tenant_id = $1 and u.id = $2`,
    [tenantId, userId],
  );
  return row;
}
