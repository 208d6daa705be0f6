import type { Deps } from "../deps.ts";
import { type AuditFilter, findEntries, findEntriesAfter } from "./audit.store.ts";
import type { AuditEntry } from "./entry-hash.ts";

/** A page of a tenant's audit log, newest first. `next` is the `before` of the following page, or null. */
export async function listAuditEntries(
  deps: Deps,
  tenantId: string,
  filter: AuditFilter,
  limit: number,
): Promise<{ items: (AuditEntry & { hash: Buffer })[]; next: number | null }> {
  const rows = await findEntries(deps.database, tenantId, filter, limit + 1);
  const items = rows.slice(0, limit);
  return { items, next: rows.length > limit ? (items.at(-1)?.seq ?? null) : null };
}

/** The whole log, oldest first, read page by page: its size never matters. */
export async function* exportAuditEntries(
  deps: Deps,
  tenantId: string,
): AsyncGenerator<AuditEntry & { hash: Buffer }> {
  let seq = 0;
  for (;;) {
    const page = await findEntriesAfter(deps.database, tenantId, seq, 1_000);
    yield* page;
    const last = page.at(-1);
    if (!last || page.length < 1_000) return;
    seq = last.seq;
  }
}
