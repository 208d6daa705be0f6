import type { Queryable, Transaction } from "../../platform/database/types.ts";

/** An application that knows a session, and by which address it knows us. */
export interface SessionApplication {
  sessionId: string;
  applicationId: string;
  issuer: string;
}

export async function insertSessionApplication(
  tx: Transaction,
  tenantId: string,
  { sessionId, applicationId, issuer }: SessionApplication,
): Promise<void> {
  await tx.query(
    `insert into session_applications (tenant_id, session_id, application_id, issuer) values ($1, $2, $3, $4)
     on conflict (tenant_id, session_id, application_id) do update set issuer = excluded.issuer`,
    [tenantId, sessionId, applicationId, issuer],
  );
}

export function findSessionApplications(
  database: Queryable,
  tenantId: string,
  sessionIds: readonly string[],
): Promise<SessionApplication[]> {
  return database.query<SessionApplication>(
    `select session_id as "sessionId", application_id as "applicationId", issuer from session_applications
      where tenant_id = $1 and session_id = any($2) order by session_id, application_id`,
    [tenantId, sessionIds],
  );
}
