import type {
  LedgerDimension,
  LedgerQuery,
  LedgerRow,
  Page,
  UsageCall,
  UsageDimension,
  UsageQuery,
  UsageRow,
} from "@ostiary/contracts";
import { addSeconds } from "../../kernel/clock.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { checkPermission } from "../access/index.ts";
import type { Deps } from "../deps.ts";
import { type CallFilter, selectCalls } from "./call.store.ts";
import { RETENTION_DAYS } from "./roll-up.ts";
import { selectLedger, selectSummary } from "./rollup.store.ts";

/** Newest first; `next` is the last position. @throws IdentityError `permission.denied` */
export async function listCalls(
  deps: Deps,
  context: RequestContext,
  filter: CallFilter,
  limit: number,
): Promise<Page<UsageCall>> {
  checkPermission(context, "usage:read");
  const rows = await selectCalls(deps.database, context.tenantId, filter, limit + 1);
  const items = rows.slice(0, limit);
  return { items, next: rows.length > limit ? (items.at(-1)?.position ?? null) : null };
}

/**
 * Sums of calls with latencies. Without `grain` the whole time is one, read from the finest sums that still exist for
 * its beginning.
 *
 * @throws IdentityError `permission.denied`
 */
export async function summarizeUsage(
  deps: Deps,
  context: RequestContext,
  query: Omit<UsageQuery, "format">,
): Promise<UsageRow[]> {
  checkPermission(context, "usage:read");
  const now = deps.clock.now();
  const from = new Date(query.from ?? 0);
  const to = query.to === undefined ? addSeconds(now, 86_400) : new Date(query.to);
  const age = (now.getTime() - from.getTime()) / 86_400_000;
  const finest = age < RETENTION_DAYS.minute - 1 ? "minute" : age < RETENTION_DAYS.hour - 1 ? "hour" : "day";
  const timed = query.grain !== undefined && query.grain !== "total";
  const grain = timed ? (query.grain as "minute" | "hour" | "day") : finest;
  return selectSummary(
    deps.database,
    { ...rangeOf(context, query), from, to },
    grain,
    timed,
    unique<UsageDimension>(query.by),
  );
}

/** What is to be paid. @throws IdentityError `permission.denied` */
export async function readLedger(
  deps: Deps,
  context: RequestContext,
  query: Omit<LedgerQuery, "format">,
): Promise<LedgerRow[]> {
  checkPermission(context, "usage:read");
  const by = unique<LedgerDimension>(query.by ?? "day,application,user,rule");
  return selectLedger(deps.database, { ...rangeOf(context, query), from: query.from, to: query.to }, by);
}

function rangeOf(
  context: RequestContext,
  { applicationId, userId, limit = 1_000 }: Pick<UsageQuery, "applicationId" | "userId" | "limit">,
) {
  return { tenantId: context.tenantId, applicationId, userId, limit };
}

function unique<Word extends string>(list: string | undefined): Word[] {
  return list === undefined ? [] : ([...new Set(list.split(","))] as Word[]);
}
