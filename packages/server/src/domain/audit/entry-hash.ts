import { createHash } from "node:crypto";

/** One line of the audit log, in the form that is hashed, shown and exported. */
export interface AuditEntry {
  seq: number;
  id: string;
  type: string;
  occurredAt: Date;
  actorType: string;
  actorId: string | null;
  targetType: string | null;
  targetId: string | null;
  outcome: string;
  reason: string | null;
  ip: string | null;
  userAgent: string | null;
  traceId: string;
  data: unknown;
}

/** The hash before a tenant's first entry. */
export const CHAIN_START = Buffer.alloc(32);

/**
 * SHA-256 over the previous hash (32 bytes) and the entry as a JSON array in a fixed order, so that changing,
 * removing or reordering any entry changes every later hash.
 *
 * @returns 32 bytes.
 */
export function entryHash(previous: Uint8Array, tenantId: string, entry: AuditEntry): Buffer {
  const fields = [
    tenantId,
    entry.seq,
    entry.id,
    entry.type,
    entry.occurredAt.toISOString(),
    entry.actorType,
    entry.actorId,
    entry.targetType,
    entry.targetId,
    entry.outcome,
    entry.reason,
    entry.ip,
    entry.userAgent,
    entry.traceId,
    canonical(entry.data),
  ];
  return createHash("sha256").update(previous).update(JSON.stringify(fields)).digest();
}

/** jsonb forgets the order of keys, so they are sorted before hashing. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (value === null || typeof value !== "object") return value;
  const sorted = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted.map(([key, inner]) => [key, canonical(inner)]));
}
