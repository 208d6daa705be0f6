import type { Deps } from "../deps.ts";
import { insertSingleUse } from "./single-use.store.ts";

/**
 * Uses up something that may be used once, such as the `jti` of an assertion (RFC 7523 §3).
 *
 * @param expiresAt - when the thing itself has expired, so that nobody needs to remember it.
 * @returns false when it was used before.
 */
export function useOnce(
  deps: Deps,
  tenantId: string,
  purpose: string,
  text: string,
  expiresAt: Date,
): Promise<boolean> {
  const hash = deps.secrets.keyedHash(text, `single-use ${purpose}`);
  return insertSingleUse(deps.database, tenantId, { purpose, hash, usedAt: deps.clock.now(), expiresAt });
}
