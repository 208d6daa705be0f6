import { IdentityError, type SigningAlgorithm, type SigningKey } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { checkPermission } from "../access/index.ts";
import type { Deps } from "../deps.ts";
import { findTenantById } from "../tenants/index.ts";
import { generateSigningKey, SIGNING_KEYS } from "./create-signing-key.ts";
import { DIALECT_KEYS } from "./dialect-key.ts";
import { forgetKey, replaceActiveKey, rotateDue } from "./rotating-keys.ts";
import { type SigningKeyRow, selectSigningKeys } from "./signing-key.store.ts";

/** @throws IdentityError `permission.denied` */
export async function listSigningKeys(deps: Deps, context: RequestContext): Promise<SigningKey[]> {
  checkPermission(context, "signing-key:read");
  return (await selectSigningKeys(deps.database, context.tenantId)).map(toSigningKey);
}

/**
 * A new key signs from now on; the one before only verifies, until all its tokens have expired. This is also how the
 * first key of another algorithm is made. Which algorithm is used is a setting of the tenant.
 *
 * @param algorithm - default: the tenant's.
 * @throws IdentityError `permission.denied`
 */
export async function rotateSigningKeys(
  deps: Deps,
  context: RequestContext,
  algorithm?: SigningAlgorithm,
): Promise<SigningKey> {
  checkPermission(context, "signing-key:write");
  const tenant = await findTenantById(deps, context.tenantId);
  if (!tenant) throw new IdentityError("tenant.not_found");
  const wanted = algorithm ?? tenant.settings.tokens.signingAlgorithm;
  const key = await generateSigningKey(deps, tenant.id, wanted, "active", deps.clock.now());
  await replaceActiveKey(deps, context, SIGNING_KEYS, key);
  return toSigningKey(key);
}

/**
 * Forgets a key: at once, everything it signed is refused. For a key that leaked.
 *
 * @throws IdentityError `permission.denied`, `signing_key.not_found`, `signing_key.in_use`
 */
export async function deleteSigningKey(deps: Deps, context: RequestContext, kid: string): Promise<void> {
  checkPermission(context, "signing-key:write");
  await forgetKey(deps, context, SIGNING_KEYS, (key) => key.kid === kid);
}

/**
 * The job, for all kinds of keys. Safe to run in several processes at once.
 *
 * @returns how many tenants' keys were changed.
 */
export async function rotateDueKeys(deps: Deps): Promise<number> {
  const changed = [...(await rotateDue(deps, SIGNING_KEYS)), ...(await rotateDue(deps, DIALECT_KEYS))];
  return new Set(changed).size;
}

function toSigningKey(row: SigningKeyRow): SigningKey {
  return {
    kid: row.kid,
    algorithm: row.algorithm,
    status: row.status,
    publicJwk: row.publicJwk,
    createdAt: row.createdAt.toISOString(),
    activatesAt: row.activatesAt.toISOString(),
    expiresAt: row.expiresAt?.toISOString() ?? null,
  };
}
