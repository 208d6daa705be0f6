import type { SecondFactorPolicy } from "@ostiary/contracts";
import type { LatestTime } from "../../kernel/late-writes.ts";
import type { Queryable, Transaction } from "../../platform/database/types.ts";

/** A session as the rules need it. */
export interface Session {
  tenantId: string;
  id: string;
  userId: string;
  /** Keyed hash of the cookie's secret. */
  secretHash: Buffer;
  /** The application through which it began. */
  applicationId: string | null;
  /** The session from which it was derived: it ends with that one. */
  parentId: string | null;
  /** The administrator who acts as the user, and why; null: the user himself. */
  impersonatorId: string | null;
  impersonationReason: string | null;
  /** The door that it is for; empty: a browser at our own pages. Another door does not know it. */
  slot: string;
  /** The second-factor policy of where a ticket was given out for; null: no ticket. */
  entryPolicy: SecondFactorPolicy | null;
  /** Its own lifetimes, where they are shorter than its tenant's. */
  idleSeconds: number | null;
  absoluteSeconds: number | null;
  /** How the person was authenticated: values of RFC 8176. */
  amr: readonly string[];
  authenticatedAt: Date;
  deviceName: string;
  ip: string | null;
  userAgent: string | null;
  createdAt: Date;
  /** To the minute; another process may know a later one. */
  lastSeenAt: Date;
  /** The earlier end of its idle and its absolute lifetime, as of `lastSeenAt`. */
  expiresAt: Date;
  revokedAt: Date | null;
  /** Of its sliding token: a refresh makes the next one, and the earlier ones are no more. */
  tokenGeneration: number;
}

const COLUMNS = `tenant_id as "tenantId", id, user_id as "userId", secret_hash as "secretHash",
  application_id as "applicationId", parent_id as "parentId", impersonator_id as "impersonatorId",
  impersonation_reason as "impersonationReason", slot, entry_policy as "entryPolicy", idle_seconds as "idleSeconds",
  absolute_seconds as "absoluteSeconds", amr,
  authenticated_at as "authenticatedAt", device_name as "deviceName", ip, user_agent as "userAgent",
  created_at as "createdAt", last_seen_at as "lastSeenAt", expires_at as "expiresAt", revoked_at as "revokedAt",
  token_generation as "tokenGeneration"`;

export async function insertSession(database: Queryable, session: Session): Promise<void> {
  await database.query(
    `insert into sessions (tenant_id, id, user_id, secret_hash, amr, authenticated_at, device_name, ip, user_agent,
                           created_at, last_seen_at, expires_at, application_id, parent_id, slot, idle_seconds,
                           absolute_seconds, impersonator_id, impersonation_reason, entry_policy)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)`,
    [
      session.tenantId,
      session.id,
      session.userId,
      session.secretHash,
      session.amr,
      session.authenticatedAt,
      session.deviceName,
      session.ip,
      session.userAgent,
      session.createdAt,
      session.lastSeenAt,
      session.expiresAt,
      session.applicationId,
      session.parentId,
      session.slot,
      session.idleSeconds,
      session.absoluteSeconds,
      session.impersonatorId,
      session.impersonationReason,
      session.entryPolicy,
    ],
  );
}

/** Whoever begins a session of which only so many may be takes turns here. */
export async function lockSlot(tx: Transaction, tenantId: string, userId: string): Promise<void> {
  await tx.query("select pg_advisory_xact_lock(hashtextextended('sessions:' || $1 || ':' || $2, 0))", [
    tenantId,
    userId,
  ]);
}

/**
 * A user's live sessions, oldest first: for the door of `session`, or those that began through an application. Not those
 * of administrators who act as him.
 */
export async function findIdsInSlot(
  tx: Transaction,
  { tenantId, userId, slot }: Session,
  applicationId: string | null,
  now: Date,
): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    `select id from sessions
      where tenant_id = $1 and user_id = $2 and revoked_at is null and expires_at > $5 and impersonator_id is null
        and case when $4::text is null then slot = $3 else application_id = $4 and parent_id is null end
      order by id`,
    [tenantId, userId, slot, applicationId, now],
  );
  return rows.map((row) => row.id);
}

/** Whether the user has chosen to be signed in once only. */
export async function wantsOneSession(
  database: Queryable,
  tenantId: string,
  userId: string,
): Promise<boolean> {
  const rows = await database.query(
    `select 1 as one from users
      where tenant_id = $1 and id = $2 and preferences -> 'multipleLogin' = 'false'::jsonb`,
    [tenantId, userId],
  );
  return rows.length > 0;
}

export async function loadSession(
  database: Queryable,
  tenantId: string,
  id: string,
): Promise<Session | null> {
  const [row] = await database.query<Session>(
    `select ${COLUMNS} from sessions where tenant_id = $1 and id = $2`,
    [tenantId, id],
  );
  return row ?? null;
}

/** Those that are alive, newest first; of one user, or of everybody when `userId` is absent. */
export function findLiveSessions(
  database: Queryable,
  tenantId: string,
  userId: string | undefined,
  now: Date,
  after: string | undefined,
  limit: number,
): Promise<Session[]> {
  // Two texts and not "or $2 is null": each has its own index.
  const mine = userId === undefined ? "" : "and user_id = $5";
  const values = [tenantId, now, after ?? null, limit, ...(userId === undefined ? [] : [userId])];
  return database.query<Session>(
    `select ${COLUMNS} from sessions
      where tenant_id = $1 and revoked_at is null and expires_at > $2 and ($3::text is null or id < $3) ${mine}
      order by id desc limit $4`,
    values,
  );
}

/** Moves last-seen times and idle ends forward, never back; rows that somebody else holds are left for next time. */
export async function updateLastSeen(
  database: Queryable,
  times: readonly (LatestTime & { idleSeconds: number; absoluteSeconds: number })[],
): Promise<void> {
  await database.query(
    `update sessions s
        set last_seen_at = t.at,
            expires_at = least(s.created_at + least(t.absolute, s.absolute_seconds) * interval '1 second',
                               t.at + least(t.idle, s.idle_seconds) * interval '1 second')
       from (select s.tenant_id, s.id, u.at, u.idle, u.absolute
               from unnest($1::text[], $2::text[], $3::timestamptz[], $4::int[], $5::int[])
                      as u(tenant_id, id, at, idle, absolute)
               join sessions s on s.tenant_id = u.tenant_id and s.id = u.id
              where s.last_seen_at < u.at and s.expires_at > u.at and s.revoked_at is null
              order by s.tenant_id, s.id for update of s skip locked) t
      where s.tenant_id = t.tenant_id and s.id = t.id`,
    [
      times.map((time) => time.tenantId),
      times.map((time) => time.id),
      times.map((time) => time.at),
      times.map((time) => time.idleSeconds),
      times.map((time) => time.absoluteSeconds),
    ],
  );
}

/** A session that was revoked, and whose it was. */
export interface RevokedSession {
  id: string;
  userId: string;
}

/** Revokes one session that is not revoked yet, and those derived from it. Empty when it was revoked before. */
export async function revokeSessionRow(
  tx: Transaction,
  tenantId: string,
  id: string,
  now: Date,
): Promise<RevokedSession[]> {
  return tx.query<RevokedSession>(
    `with recursive ended as (
       select id from sessions where tenant_id = $1 and id = $2 and revoked_at is null
       union
       select s.id from ended join sessions s on s.tenant_id = $1 and s.parent_id = ended.id)
     update sessions set revoked_at = $3
      where tenant_id = $1 and id in (select id from ended) and revoked_at is null
     returning id, user_id as "userId"`,
    [tenantId, id, now],
  );
}

/** Revokes a user's live sessions, and those derived from them; but not one, and what was derived from that. */
export async function revokeSessionRows(
  tx: Transaction,
  tenantId: string,
  userId: string,
  exceptId: string | undefined,
  now: Date,
): Promise<RevokedSession[]> {
  return tx.query<RevokedSession>(
    `with recursive ended as (
       select id from sessions
        where tenant_id = $1 and user_id = $2 and revoked_at is null and expires_at > $3
          and ($4::text is null or (id <> $4 and parent_id is distinct from $4))
       union
       select s.id from ended join sessions s on s.tenant_id = $1 and s.parent_id = ended.id)
     update sessions set revoked_at = $3
      where tenant_id = $1 and id in (select id from ended) and revoked_at is null
     returning id, user_id as "userId"`,
    [tenantId, userId, now, exceptId ?? null],
  );
}

/** Revokes the token families that were begun in these sessions. Returns their ids. */
export async function revokeFamiliesOfSessions(
  tx: Transaction,
  tenantId: string,
  sessionIds: readonly string[],
  now: Date,
): Promise<string[]> {
  if (sessionIds.length === 0) return [];
  const rows = await tx.query<{ id: string }>(
    `update token_families set revoked_at = $3
      where tenant_id = $1 and session_id = any($2) and revoked_at is null returning id`,
    [tenantId, sessionIds, now],
  );
  return rows.map((row) => row.id);
}

/** Revokes what a user has granted for longer than a session (scope `offline_access`). Returns the families' ids. */
export async function revokeOfflineFamilies(
  tx: Transaction,
  tenantId: string,
  userId: string,
  now: Date,
): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    `update token_families set revoked_at = $3
      where tenant_id = $1 and user_id = $2 and session_id is null and revoked_at is null returning id`,
    [tenantId, userId, now],
  );
  return rows.map((row) => row.id);
}

/** Revokes some live sessions that began through an application, and those derived from them. */
export async function revokeSessionRowsOfApplication(
  tx: Transaction,
  tenantId: string,
  applicationId: string,
  now: Date,
  limit: number,
): Promise<RevokedSession[]> {
  return tx.query<RevokedSession>(
    `with recursive ended as (
       (select id from sessions
         where tenant_id = $1 and application_id = $2 and revoked_at is null and expires_at > $3 limit $4)
       union
       select s.id from ended join sessions s on s.tenant_id = $1 and s.parent_id = ended.id)
     update sessions set revoked_at = $3
      where tenant_id = $1 and id in (select id from ended) and revoked_at is null
     returning id, user_id as "userId"`,
    [tenantId, applicationId, now, limit],
  );
}

/** Revokes some token families of users of an application, offline ones too. Returns their ids. */
export async function revokeFamiliesOfApplication(
  tx: Transaction,
  tenantId: string,
  applicationId: string,
  now: Date,
  limit: number,
): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    `update token_families set revoked_at = $3
      where tenant_id = $1 and id in (
        select id from token_families
         where tenant_id = $1 and application_id = $2 and revoked_at is null and expires_at > $3 limit $4)
     returning id`,
    [tenantId, applicationId, now, limit],
  );
  return rows.map((row) => row.id);
}

/** The person has proven again who he is: a new secret, a new time. False unless the session is alive and his own. */
export async function renewSessionRow(
  tx: Transaction,
  tenantId: string,
  id: string,
  userId: string,
  fresh: Pick<Session, "secretHash" | "amr" | "authenticatedAt"> & { keepsTime: boolean },
): Promise<boolean> {
  const rows = await tx.query(
    `update sessions set secret_hash = $4, amr = $5,
            authenticated_at = case when $7::boolean then authenticated_at else $6 end
      where tenant_id = $1 and id = $2 and user_id = $3 and revoked_at is null and expires_at > $6
        and impersonator_id is null returning id`,
    [tenantId, id, userId, fresh.secretHash, fresh.amr, fresh.authenticatedAt, fresh.keepsTime],
  );
  return rows.length === 1;
}

/**
 * The next generation of a live session's sliding token, if `generation` is still the present one, and its idle time
 * begins anew: of two requests at once one wins.
 *
 * @returns when the session ends now.
 */
export async function advanceTokenGeneration(
  tx: Transaction,
  tenantId: string,
  id: string,
  generation: number,
  lifetimes: { idleSeconds: number; absoluteSeconds: number },
  now: Date,
): Promise<Date | undefined> {
  const [row] = await tx.query<{ expiresAt: Date }>(
    `update sessions set token_generation = token_generation + 1, last_seen_at = $4,
            expires_at = least(created_at + $6::int * interval '1 second', $4::timestamptz + $5::int * interval '1 second')
      where tenant_id = $1 and id = $2 and token_generation = $3 and revoked_at is null and expires_at > $4
     returning expires_at as "expiresAt"`,
    [tenantId, id, generation, now, lifetimes.idleSeconds, lifetimes.absoluteSeconds],
  );
  return row?.expiresAt;
}

/** Sessions that ended before `before`. Returns how many went; `limit` means that there may be more. */
export async function deleteExpiredSessions(
  database: Queryable,
  before: Date,
  limit: number,
): Promise<number> {
  const rows = await database.query<{ id: string }>(
    `delete from sessions where (tenant_id, id) in (
       select tenant_id, id from sessions where expires_at < $1 order by expires_at limit $2) returning id`,
    [before, limit],
  );
  return rows.length;
}
