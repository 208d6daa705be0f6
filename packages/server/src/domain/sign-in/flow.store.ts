import type { Queryable, Transaction } from "../../platform/database/types.ts";
import type { Flow } from "./flow.ts";

const COLUMNS = `id, state, application_id as "applicationId", identifier, user_id as "userId",
  session_id as "sessionId", amr, facts, continuation, version, expires_at as "expiresAt"`;

export async function insertFlow(
  database: Queryable,
  tenantId: string,
  flow: Flow,
  browserHash: Buffer,
  createdAt: Date,
): Promise<void> {
  await database.query(
    `insert into sign_in_flows (tenant_id, id, state, browser_hash, application_id, identifier, user_id, session_id,
                                amr, facts, continuation, version, created_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::jsonb, $11::jsonb, $12, $13, $14)`,
    [
      tenantId,
      flow.id,
      flow.state,
      browserHash,
      flow.applicationId,
      flow.identifier,
      flow.userId,
      flow.sessionId,
      flow.amr,
      JSON.stringify(flow.facts),
      JSON.stringify(flow.continuation),
      flow.version,
      createdAt,
      flow.expiresAt,
    ],
  );
}

/** A flow belongs to the browser that started it; in any other it does not exist. */
export async function findFlowOfBrowser(
  database: Queryable,
  tenantId: string,
  id: string,
  browserHash: Buffer,
  now: Date,
): Promise<Flow | undefined> {
  const [flow] = await database.query<Flow>(
    `select ${COLUMNS} from sign_in_flows
      where tenant_id = $1 and id = $2 and browser_hash = $3 and expires_at > $4`,
    [tenantId, id, browserHash, now],
  );
  return flow;
}

/** Takes one step. False when another request has taken one since `flow` was read: only one of two wins. */
export async function advanceFlow(
  tx: Transaction | Queryable,
  tenantId: string,
  flow: Flow,
  to: Pick<Flow, "state" | "identifier" | "userId" | "sessionId" | "amr" | "facts">,
): Promise<boolean> {
  const rows = await tx.query(
    `update sign_in_flows set state = $4, identifier = $5, user_id = $6, session_id = $7, amr = $8,
            facts = $9::jsonb, version = version + 1
      where tenant_id = $1 and id = $2 and version = $3 returning id`,
    [
      tenantId,
      flow.id,
      flow.version,
      to.state,
      to.identifier,
      to.userId,
      to.sessionId,
      to.amr,
      JSON.stringify(to.facts),
    ],
  );
  return rows.length === 1;
}

/** Takes a finished flow away. One statement decides the winner, so it can be taken once. */
export async function takeFlow(
  database: Queryable,
  tenantId: string,
  id: string,
  browserHash: Buffer,
  now: Date,
): Promise<Flow | undefined> {
  const [flow] = await database.query<Flow>(
    `delete from sign_in_flows
      where tenant_id = $1 and id = $2 and browser_hash = $3 and expires_at > $4 and state = 'authenticated'
      returning ${COLUMNS}`,
    [tenantId, id, browserHash, now],
  );
  return flow;
}

export async function deleteExpiredFlows(database: Queryable, now: Date, limit: number): Promise<number> {
  const rows = await database.query(
    `delete from sign_in_flows where (tenant_id, id) in
       (select tenant_id, id from sign_in_flows where expires_at < $1 limit $2) returning id`,
    [now, limit],
  );
  return rows.length;
}
