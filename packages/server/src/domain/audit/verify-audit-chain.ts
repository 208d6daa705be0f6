import type { Deps } from "../deps.ts";
import { findEntriesAfter, findHead } from "./audit.store.ts";
import { CHAIN_START, entryHash } from "./entry-hash.ts";

const PAGE = 1_000;

export interface ChainReport {
  intact: boolean;
  entries: number;
  /** The first sequence number whose hash does not follow from the one before. */
  brokenAt: number | null;
}

/** Recomputes a tenant's whole chain from its first entry and compares it with what is stored. */
export async function verifyAuditChain(deps: Deps, tenantId: string): Promise<ChainReport> {
  let previous: Buffer = CHAIN_START;
  let seq = 0;
  for (;;) {
    const page = await findEntriesAfter(deps.database, tenantId, seq, PAGE);
    for (const { hash, ...entry } of page) {
      const expected = entryHash(previous, tenantId, entry);
      if (entry.seq !== seq + 1 || !expected.equals(hash)) {
        return { intact: false, entries: seq, brokenAt: seq + 1 };
      }
      previous = hash;
      seq = entry.seq;
    }
    if (page.length < PAGE) break;
  }
  const head = await findHead(deps.database, tenantId);
  // Removing the newest entries leaves a shorter, valid chain; the head remembers how long it was.
  const intact = seq === (head?.seq ?? 0) && previous.equals(head?.hash ?? CHAIN_START);
  return { intact, entries: seq, brokenAt: intact ? null : seq + 1 };
}
