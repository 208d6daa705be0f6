import { type ApplicationAssignment, IdentityError } from "@ostiary/contracts";
import type { Queryable, Transaction } from "../../platform/database/types.ts";
import { violatedConstraint } from "../../platform/database/unique-violation.ts";

/** False when it was there already. @throws IdentityError `user.not_found`, `application.not_found` */
export async function insertAssignment(
  tx: Transaction,
  tenantId: string,
  applicationId: string,
  userId: string,
  now: Date,
): Promise<boolean> {
  const rows = await tx
    .query(
      `insert into application_assignments (tenant_id, application_id, user_id, created_at)
       values ($1, $2, $3, $4) on conflict do nothing returning user_id`,
      [tenantId, applicationId, userId, now],
    )
    .catch((error: unknown) => {
      const constraint = violatedConstraint(error);
      if (constraint?.includes("user_id")) throw new IdentityError("user.not_found", { cause: error });
      if (constraint) throw new IdentityError("application.not_found", { cause: error });
      throw error;
    });
  return rows.length === 1;
}

/** One user's, or everybody's when `userId` is absent. Returns whose it was. */
export async function deleteAssignments(
  tx: Transaction,
  tenantId: string,
  applicationId: string,
  userId?: string,
): Promise<string[]> {
  const rows = await tx.query<{ userId: string }>(
    `delete from application_assignments
      where tenant_id = $1 and application_id = $2 and ($3::text is null or user_id = $3)
      returning user_id as "userId"`,
    [tenantId, applicationId, userId ?? null],
  );
  return rows.map((row) => row.userId);
}

/** By user id, highest first. */
export async function findAssignments(
  database: Queryable,
  tenantId: string,
  applicationId: string,
  after: string | undefined,
  limit: number,
): Promise<ApplicationAssignment[]> {
  const rows = await database.query<{ userId: string; createdAt: Date }>(
    `select user_id as "userId", created_at as "createdAt" from application_assignments
      where tenant_id = $1 and application_id = $2 and ($3::text is null or user_id < $3)
      order by user_id desc limit $4`,
    [tenantId, applicationId, after ?? null, limit],
  );
  return rows.map(({ userId, createdAt }) => ({ userId, createdAt: createdAt.toISOString() }));
}

/** The applications a user is assigned to. */
export async function findAssignedIds(
  database: Queryable,
  tenantId: string,
  userId: string,
): Promise<ReadonlySet<string>> {
  const rows = await database.query<{ id: string }>(
    "select application_id as id from application_assignments where tenant_id = $1 and user_id = $2",
    [tenantId, userId],
  );
  return new Set(rows.map((row) => row.id));
}
