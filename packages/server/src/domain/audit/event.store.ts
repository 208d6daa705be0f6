import type { EventName } from "@ostiary/contracts";
import type { ChangeKey } from "../../kernel/changes.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { newId } from "../../kernel/identifiers.ts";
import type { Queryable, SqlValue, Transaction } from "../../platform/database/types.ts";

/** A fact for the outbox. */
export interface NewEvent {
  type: EventName;
  target?: { type: string; id: string };
  /** Default `success`. `refused`: somebody tried and was not allowed. */
  outcome?: "success" | "refused";
  /** Private: why it was refused. Never shown to the caller. */
  reason?: string;
  /** Public facts about the change (changed field names, codes). Never a secret, never a password. */
  data?: object;
}

const INSERT_EVENTS = `
  insert into events (tenant_id, id, type, occurred_at, actor_type, actor_id, target_type, target_id, outcome,
                      reason, ip, user_agent, trace_id, data)
  select $1, e.id, e.type, $2, $3, $4, e.target_type, e.target_id, e.outcome, e.reason, $5, $6, $7, e.data
    from jsonb_to_recordset($8::jsonb) as e(id text, type text, target_type text, target_id text, outcome text,
                                            reason text, data jsonb)`;

/** Writes facts, in one statement however many they are. */
export async function insertEvents(
  database: Queryable,
  context: RequestContext,
  now: Date,
  events: readonly NewEvent[],
): Promise<void> {
  if (events.length > 0) await database.query(INSERT_EVENTS, valuesOf(context, now, events));
}

/** Facts that are true once `tx` commits, and what they change: every process hears `keys` at commit. */
export function insertEventsAndNotify(
  tx: Transaction,
  context: RequestContext,
  now: Date,
  events: readonly NewEvent[],
  keys: readonly ChangeKey[],
): void {
  if (events.length > 0) tx.atCommit(INSERT_EVENTS, valuesOf(context, now, events));
  tx.notify(keys);
}

function valuesOf(context: RequestContext, now: Date, events: readonly NewEvent[]): SqlValue[] {
  const rows = events.map((event) => ({
    id: newId(now),
    type: event.type,
    target_type: event.target?.type ?? null,
    target_id: event.target?.id ?? null,
    outcome: event.outcome ?? "success",
    reason: event.reason ?? null,
    data: { ...event.data, ...(context.impersonatorId ? { impersonatorId: context.impersonatorId } : {}) },
  }));
  const { tenantId, actor, ip, userAgent, traceId } = context;
  return [tenantId, now, actor.type, actor.id, ip, userAgent, traceId, JSON.stringify(rows)];
}
