import { type Deps, onePerServer, outsideTransaction } from "../deps.ts";
import {
  appendEntries,
  findHeads,
  findUnsealedEvents,
  type SealedEntry,
  tryLockSealing,
} from "./audit.store.ts";
import { CHAIN_START, entryHash } from "./entry-hash.ts";

const BATCH = 500;
/** Entries appear in the log at most this long after their commit, unless the database is down. */
const DELAY_MILLISECONDS = 200;

/**
 * Moves committed events from the outbox into the hash-chained audit log, oldest first, up to `BATCH` of them.
 * One process at a time does it. Chaining happens here and not in the writer's transaction because a chain in the
 * transaction would let every tenant write one thing at a time (docs/decisions/0006-audit-chain.md).
 *
 * @returns how many were moved; `BATCH` means that there may be more.
 */
function sealAuditEntries(deps: Deps): Promise<number> {
  return deps.database.transaction(async (tx) => {
    if (!(await tryLockSealing(tx))) return 0;
    const events = await findUnsealedEvents(tx, BATCH);
    const last = events.at(-1);
    if (!last) return 0;
    const heads = await findHeads(tx, [...new Set(events.map((event) => event.tenantId))]);
    const entries: SealedEntry[] = [];
    for (const { xid: _xid, position: _position, ...event } of events) {
      const head = heads.get(event.tenantId) ?? { seq: 0, hash: CHAIN_START };
      const seq = head.seq + 1;
      const hash = entryHash(head.hash, event.tenantId, { ...event, seq });
      heads.set(event.tenantId, { seq, hash });
      entries.push({ ...event, seq, hash });
    }
    await appendEntries(tx, entries, last);
    return events.length;
  });
}

/** Seals until nothing is left. */
export async function sealAllAuditEntries(deps: Deps): Promise<number> {
  let total = 0;
  for (;;) {
    const moved = await sealAuditEntries(deps);
    total += moved;
    if (moved < BATCH) return total;
  }
}

/** The run that is due, if any. */
const pendingRun = onePerServer((): { timer: NodeJS.Timeout | undefined } => ({ timer: undefined }));

/** Seals soon; many wakes make one run. Failures are logged and tried again at the next wake. */
export function wakeSealer(joined: Deps): void {
  const pending = pendingRun(joined);
  if (pending.timer) return;
  const deps = outsideTransaction(joined);
  pending.timer = setTimeout(() => {
    pending.timer = undefined;
    sealAllAuditEntries(deps).catch((error: unknown) =>
      deps.log.error({ err: error }, "sealing audit entries failed"),
    );
  }, DELAY_MILLISECONDS);
  pending.timer.unref();
}

/** Seals what is left when the server stops. */
export async function finishSealing(deps: Deps): Promise<void> {
  const pending = pendingRun(deps);
  clearTimeout(pending.timer);
  pending.timer = undefined;
  await sealAllAuditEntries(deps);
}
