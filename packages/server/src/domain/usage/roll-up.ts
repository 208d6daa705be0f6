import { addSeconds } from "../../kernel/clock.ts";
import { type Deps, onePerServer, outsideTransaction } from "../deps.ts";
import { deleteBatches, dropPartitions, ensurePartition } from "./call.store.ts";
import { deleteRollups, moveDeltas, tryLockRollUp } from "./rollup.store.ts";

/** Rows of one statement. */
const BATCH = 20_000;
/** Sums of many commits are moved together. Queries see what is not moved yet, so nobody waits for it. */
const DELAY_MILLISECONDS = 2_000;

const DAY = 86_400;
/** Days that calls, and sums by minute and hour, are kept. Sums by day and the ledger stay. */
export const RETENTION_DAYS = { calls: 30, minute: 2, hour: 92, keys: 1 } as const;

/** Moves the sums of recent commits to those of their minute, hour and day, and into the ledger. */
export async function rollUpUsage(deps: Deps): Promise<void> {
  for (let moved = BATCH; moved === BATCH; ) {
    moved = await deps.database.transaction(async (tx) =>
      (await tryLockRollUp(tx)) ? moveDeltas(tx, BATCH) : 0,
    );
  }
}

const pendingRun = onePerServer((): { timer: NodeJS.Timeout | undefined; running: Promise<void> } => ({
  timer: undefined,
  running: Promise.resolve(),
}));

/** Rolls up soon; many wakes make one run. */
export function wakeRollUp(joined: Deps): void {
  const pending = pendingRun(joined);
  if (pending.timer) return;
  const deps = outsideTransaction(joined);
  pending.timer = setTimeout(() => {
    pending.running = rollUpUsage(deps)
      .catch((error: unknown) => deps.log.error({ err: error }, "rolling up usage failed"))
      .finally(() => {
        pending.timer = undefined;
      });
  }, DELAY_MILLISECONDS);
  pending.timer.unref();
}

/** For the end of the server. What is left is moved by the next one. */
export async function finishRollUp(deps: Deps): Promise<void> {
  const pending = pendingRun(deps);
  clearTimeout(pending.timer);
  pending.timer = undefined;
  await pending.running;
}

/** What is too old goes, and tomorrow's partition is there before tomorrow. */
export async function expireUsage(deps: Deps): Promise<void> {
  const { clock, database } = deps;
  const ago = (days: number) => addSeconds(clock.now(), -days * DAY);
  await ensurePartition(database, addSeconds(clock.now(), DAY));
  await dropPartitions(database, ago(RETENTION_DAYS.calls));
  while ((await deleteRollups(database, "minute", ago(RETENTION_DAYS.minute), BATCH)) === BATCH);
  while ((await deleteRollups(database, "hour", ago(RETENTION_DAYS.hour), BATCH)) === BATCH);
  while ((await deleteBatches(database, ago(RETENTION_DAYS.keys), BATCH)) === BATCH);
}
