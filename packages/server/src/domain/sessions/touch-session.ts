import { addSeconds } from "../../kernel/clock.ts";
import { type LatestTime, LateWrites } from "../../kernel/late-writes.ts";
import type { Transaction } from "../../platform/database/types.ts";
import { type Deps, onePerServer } from "../deps.ts";
import { sessionLifetimes, shorter } from "./create-session.ts";
import { advanceTokenGeneration, type Session, updateLastSeen } from "./session.store.ts";

/** Last-seen times are kept to the minute, or to a quarter of a shorter idle lifetime. Tickets may be kept less exactly. */
const PRECISION_SECONDS = 60;
/** The times of many sessions are written together after so long; well below the shortest idle lifetime, a minute. */
const DELAY_MILLISECONDS = 5_000;

/**
 * The person of this session is there: its idle time begins anew. Written later, in a group. A plain value where it was
 * seen just now.
 *
 * @param precision - seconds; a session that was seen within them is left as it is.
 */
export function touchSession(
  deps: Deps,
  session: Session,
  precision: number = PRECISION_SECONDS,
): void | Promise<void> {
  const now = deps.clock.now();
  const idleFor = now.getTime() - session.lastSeenAt.getTime();
  const quarter = (session.expiresAt.getTime() - session.lastSeenAt.getTime()) / 4;
  if (idleFor < Math.min(precision * 1_000, quarter)) return;
  return touch(deps, session, now);
}

async function touch(deps: Deps, session: Session, now: Date): Promise<void> {
  const { idleSeconds, absoluteSeconds } = shorter(await sessionLifetimes(deps, session.tenantId), session);
  const idleEnd = addSeconds(now, idleSeconds).getTime();
  const absoluteEnd = addSeconds(session.createdAt, absoluteSeconds).getTime();
  // This is the cache's own copy: this process need not look at the database to know.
  session.lastSeenAt = now;
  session.expiresAt = new Date(Math.min(idleEnd, absoluteEnd));
  lastSeen(deps).note(session.id, { tenantId: session.tenantId, id: session.id, at: now });
}

/** Writes last-seen times that wait; for the end of the server. */
export async function finishLastSeen(deps: Deps): Promise<void> {
  await lastSeen(deps).flush();
}

const lastSeen = onePerServer(
  (deps) =>
    new LateWrites<LatestTime>(
      DELAY_MILLISECONDS,
      (times) => write(deps, times),
      (error) => deps.log.warn({ err: error }, "writing when sessions were last seen failed"),
    ),
);

async function write(deps: Deps, times: readonly LatestTime[]): Promise<void> {
  const withLifetimes = times.map(async (time) => ({
    ...time,
    ...(await sessionLifetimes(deps, time.tenantId)),
  }));
  await updateLastSeen(deps.database, await Promise.all(withLifetimes));
}

/**
 * Ends the present sliding token of a session and prolongs the session, up to its longest lifetime. Of several
 * requests with one token one wins.
 *
 * @param session - as it was seen with the token; its generation must still be the present one.
 * @returns when the session ends now; undefined when another request was quicker, or the session has ended.
 */
export async function nextTokenGeneration(
  deps: Deps,
  tx: Transaction,
  session: Session,
): Promise<Date | undefined> {
  const { tenantId, id, tokenGeneration } = session;
  const lifetimes = shorter(await sessionLifetimes(deps, tenantId), session);
  const expiresAt = await advanceTokenGeneration(
    tx,
    tenantId,
    id,
    tokenGeneration,
    lifetimes,
    deps.clock.now(),
  );
  if (!expiresAt) return undefined;
  tx.notify([`session:${id}`]);
  return expiresAt;
}
