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

/** Deletes up to `limit` rows that have expired, and returns how many there were. */
type Expiry = (database: Queryable, now: Date, limit: number) => Promise<number>;

function expiryOf(table: string, key: string): Expiry {
  const text = `delete from ${table} where (${key}) in
    (select ${key} from ${table} where expires_at < $1 limit $2) returning 1 as one`;
  return async (database, now, limit) => (await database.query(text, [now, limit])).length;
}

export const deleteExpiredIdempotencyKeys = expiryOf("idempotency_keys", "tenant_id, actor, key");
export const deleteExpiredSingleUses = expiryOf("single_uses", "tenant_id, purpose, hash");
