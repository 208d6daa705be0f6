import type { DialectKey } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { checkPermission } from "../access/index.ts";
import type { Deps } from "../deps.ts";
import { type DialectKeyRow, selectDialectKeys } from "./dialect-key.store.ts";
import { DIALECT_KEYS, type DialectKeyPurpose, generateDialectKey } from "./dialect-key.ts";
import { forgetKey, replaceActiveKey } from "./rotating-keys.ts";

/** @throws IdentityError `permission.denied` */
export async function listDialectKeys(deps: Deps, context: RequestContext): Promise<DialectKey[]> {
  checkPermission(context, "signing-key:read");
  return (await selectDialectKeys(deps.database, context.tenantId)).map(toFacts);
}

/**
 * A new key signs from now on; the one before only verifies, until all its tokens have expired. Whoever keeps a copy
 * of the public key needs the new one.
 *
 * @throws IdentityError `permission.denied`
 */
export async function rotateDialectKeys(
  deps: Deps,
  context: RequestContext,
  purpose: DialectKeyPurpose,
): Promise<DialectKey> {
  checkPermission(context, "signing-key:write");
  const key = await generateDialectKey(deps, context.tenantId, purpose, "active", deps.clock.now());
  await replaceActiveKey(deps, context, DIALECT_KEYS, key);
  return toFacts(key);
}

/**
 * Forgets a key: at once, everything it signed is refused. For a key that leaked.
 *
 * @throws IdentityError `permission.denied`, `signing_key.not_found`, `signing_key.in_use`
 */
export async function deleteDialectKey(deps: Deps, context: RequestContext, kid: string): Promise<void> {
  checkPermission(context, "signing-key:write");
  await forgetKey(deps, context, DIALECT_KEYS, (key) => key.kid === kid);
}

function toFacts(row: DialectKeyRow): DialectKey {
  return {
    kid: row.kid,
    purpose: row.purpose,
    algorithm: row.algorithm,
    publicKey: row.publicKey,
    status: row.status,
    createdAt: row.createdAt.toISOString(),
    activatesAt: row.activatesAt.toISOString(),
    expiresAt: row.expiresAt?.toISOString() ?? null,
  };
}
