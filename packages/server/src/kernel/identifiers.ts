import { randomBytes, randomFillSync } from "node:crypto";

/** 24 lowercase hex characters. See docs/decisions/0004-identifiers.md. */
const ID = /^[0-9a-f]{24}$/;

const pool = Buffer.alloc(6 * 512);
let used = pool.length;

/**
 * A new identifier: 48 bits of milliseconds since 1970, then 48 random bits, as 24 lowercase hex characters.
 * Time-ordered, so that a list by id is a list by creation and B-tree inserts stay at the right edge.
 * It is public and no secret: who may see an object never follows from knowing its id.
 */
export function newId(now: Date): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const random = pool.toString("hex", used, used + 6);
  used += 6;
  return now.getTime().toString(16).padStart(12, "0") + random;
}

export function isId(text: string): boolean {
  return ID.test(text);
}

/** A bearer secret of `bytes` random bytes (default 32 = 256 bits), base64url. */
export function newSecret(bytes = 32): string {
  return randomBytes(bytes).toString("base64url");
}
