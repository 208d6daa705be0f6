import type { Queryable } from "../platform/database/types.ts";

/** Whether this process may do the round: true for one of all processes in each interval (seconds). */
export async function takeJobTurn(database: Queryable, now: Date, interval: number): Promise<boolean> {
  const rows = await database.query(
    `insert into job_turns (name, taken_at) values ('round', $1)
     on conflict (name) do update set taken_at = excluded.taken_at
       where job_turns.taken_at <= excluded.taken_at - make_interval(secs => $2) or job_turns.taken_at > excluded.taken_at
     returning name`,
    // A little less than the interval: two timers of one length must not skip each other's rounds.
    [now, interval * 0.9],
  );
  return rows.length === 1;
}

export async function deleteExpiredIdempotencyKeys(
  database: Queryable,
  now: Date,
  limit: number,
): Promise<number> {
  const rows = await database.query(
    `delete from idempotency_keys where (tenant_id, actor, key) in
       (select tenant_id, actor, key from idempotency_keys where expires_at < $1 limit $2) returning key`,
    [now, limit],
  );
  return rows.length;
}

export async function deleteExpiredSingleUses(
  database: Queryable,
  now: Date,
  limit: number,
): Promise<number> {
  const rows = await database.query(
    `delete from single_uses where (tenant_id, purpose, hash) in
       (select tenant_id, purpose, hash from single_uses where expires_at < $1 limit $2) returning hash`,
    [now, limit],
  );
  return rows.length;
}
