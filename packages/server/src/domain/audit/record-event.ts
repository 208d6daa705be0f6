import type { ChangeKey } from "../../kernel/changes.ts";
import type { RequestContext } from "../../kernel/context.ts";
import type { Transaction } from "../../platform/database/types.ts";
import type { Deps } from "../deps.ts";
import { insertEvents, insertEventsAndNotify, type NewEvent } from "./event.store.ts";
import { wakeSealer } from "./seal-audit-entries.ts";
import { isWatched } from "./watch-events.ts";

/**
 * Records facts in the transaction that makes them true; the audit log, webhooks and caches read them from there.
 *
 * @param changes - what other processes may hold in a cache and must drop (`user:<id>`, …).
 */
export async function recordEvents(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  events: readonly NewEvent[],
  changes: readonly ChangeKey[] = [],
): Promise<void> {
  const watched: ChangeKey[] = isWatched(deps, context.tenantId) ? [`events:${context.tenantId}`] : [];
  insertEventsAndNotify(tx, context, deps.clock.now(), events, [...changes, ...watched]);
  tx.afterCommit(() => wakeSealer(deps));
}

/** One fact; see `recordEvents`. */
export function recordEvent(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  event: NewEvent,
  changes: readonly ChangeKey[] = [],
): Promise<void> {
  return recordEvents(deps, tx, context, [event], changes);
}

/** A fact without a change of its own, such as a refused sign-in: one statement, no transaction. */
export async function recordRefusal(deps: Deps, context: RequestContext, event: NewEvent): Promise<void> {
  await insertEvents(deps.database, context, deps.clock.now(), [{ outcome: "refused", ...event }]);
  wakeSealer(deps);
  if (isWatched(deps, context.tenantId)) deps.feed.publish([`events:${context.tenantId}`]);
}
