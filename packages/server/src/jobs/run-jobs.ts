import { deleteReadEvents, sealAllAuditEntries } from "../domain/audit/index.ts";
import { CREDENTIAL_EXPIRIES } from "../domain/credentials/index.ts";
import type { Deps } from "../domain/deps.ts";
import { deleteExpiredInstances } from "../domain/services/index.ts";
import { deleteExpiredSessions } from "../domain/sessions/index.ts";
import {
  deleteExpiredAccountLinks,
  deleteExpiredChanges,
  deleteExpiredFlows,
  deleteExpiredImpersonations,
} from "../domain/sign-in/index.ts";
import { deleteExpiredFamilies, rotateDueKeys } from "../domain/tokens/index.ts";
import { expireUsage, rollUpUsage } from "../domain/usage/index.ts";
import { deleteOldDeliveries } from "../domain/webhooks/index.ts";
import { addSeconds } from "../kernel/clock.ts";
import { deleteExpiredIdempotencyKeys, deleteExpiredSingleUses, takeJobTurn } from "./job.store.ts";

/** Rows of one delete statement: small enough that it never holds locks for long. */
const BATCH = 5_000;
/** Outbox rows stay this long after every reader has passed, for whoever has to look into something. */
const OUTBOX_SECONDS = 7 * 86_400;

/** What is deleted in batches until a batch is not full. */
const EXPIRIES = [
  deleteExpiredFlows,
  deleteExpiredImpersonations,
  deleteExpiredAccountLinks,
  deleteExpiredChanges,
  deleteExpiredFamilies,
  deleteExpiredSessions,
  deleteExpiredIdempotencyKeys,
  deleteExpiredSingleUses,
  deleteOldDeliveries,
  deleteExpiredInstances,
  ...CREDENTIAL_EXPIRIES,
  (database: Deps["database"], now: Date, limit: number) =>
    deleteReadEvents(database, addSeconds(now, -OUTBOX_SECONDS), limit),
];

/**
 * One round of what has to happen now and then: expired rows go, due signing keys rotate, audit entries that a
 * crash left unsealed are sealed. Of all processes one does it (the turn is a row with a time, not a lock that a
 * pooled connection could keep).
 *
 * @returns false when another process had the turn.
 */
export async function runJobs(deps: Deps): Promise<boolean> {
  if (!(await takeJobTurn(deps.database, deps.clock.now(), INTERVAL_SECONDS))) return false;
  await sealAllAuditEntries(deps);
  await rotateDueKeys(deps);
  await rollUpUsage(deps);
  await expireUsage(deps);
  for (const expire of EXPIRIES) {
    while ((await expire(deps.database, deps.clock.now(), BATCH)) === BATCH);
  }
  return true;
}

const INTERVAL_SECONDS = 60;

/** Runs a round soon after the start and then every minute; a failure is logged and the next round tries again. */
export function startJobs(deps: Deps): { stop(): Promise<void> } {
  let running: Promise<unknown> = Promise.resolve();
  const round = () => {
    running = runJobs(deps).catch((error: unknown) => deps.log.error({ err: error }, "a job failed"));
  };
  const first = setTimeout(round, 1_000);
  const timer = setInterval(round, INTERVAL_SECONDS * 1_000);
  first.unref();
  timer.unref();
  return {
    stop: async () => {
      clearTimeout(first);
      clearInterval(timer);
      await running;
    },
  };
}
