import { IdentityError, type SigningAlgorithm, type Tenant } from "@ostiary/contracts";
import { addSeconds } from "../../kernel/clock.ts";
import { type RequestContext, systemContext } from "../../kernel/context.ts";
import type { Transaction } from "../../platform/database/types.ts";
import { checkPermission } from "../access/index.ts";
import type { Deps } from "../deps.ts";
import { findTenantById } from "../tenants/index.ts";
import { generateSigningKey, recordKeyEvent } from "./create-signing-key.ts";
import {
  activateKey,
  deleteKey,
  insertSigningKey,
  lockSigningKeys,
  retireActiveKey,
  type SigningKeyRow,
  selectKeysThatMayBeDue,
  selectSigningKeys,
} from "./signing-key.store.ts";

const DAY = 86_400;

/** Seconds a new key is published before it signs: longer than anybody keeps a copy of the JWKS. */
const PUBLISH_AHEAD_SECONDS = DAY;

/** Seconds a retired key still verifies: the longest token lifetime that settings allow (a day), and an hour. */
const RETIRING_SECONDS = DAY + 3_600;

/** A signing key as administrators see it: never its private half. Times are RFC 3339. */
export interface SigningKey {
  kid: string;
  algorithm: SigningAlgorithm;
  status: "next" | "active" | "retiring";
  publicJwk: Record<string, unknown>;
  createdAt: string;
  activatesAt: string;
  expiresAt: string | null;
}

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
  await deps.database.transaction(async (tx) => {
    await lockSigningKeys(tx, tenant.id);
    await retire(deps, tx, context, wanted);
    await insertSigningKey(tx, key);
    await recordKeyEvent(deps, tx, context, "signing_key.created", key);
  });
  return toSigningKey(key);
}

/**
 * Forgets a key: at once, everything it signed is refused. For a key that leaked.
 *
 * @throws IdentityError `permission.denied`, `signing_key.not_found`, `signing_key.in_use`
 */
export async function deleteSigningKey(deps: Deps, context: RequestContext, kid: string): Promise<void> {
  checkPermission(context, "signing-key:write");
  await deps.database.transaction(async (tx) => {
    await lockSigningKeys(tx, context.tenantId);
    const key = (await selectSigningKeys(tx, context.tenantId)).find((other) => other.kid === kid);
    if (!key) throw new IdentityError("signing_key.not_found");
    if (key.status === "active") throw new IdentityError("signing_key.in_use");
    await deleteKey(tx, context.tenantId, kid);
    await recordKeyEvent(deps, tx, context, "signing_key.retired", key);
  });
}

/**
 * The job: publishes successors a day ahead, lets them sign when their time has come, and deletes keys whose tokens
 * have all expired. Safe to run in several processes at once.
 *
 * @returns tenants whose keys were changed.
 */
export async function rotateDueKeys(deps: Deps): Promise<number> {
  const now = deps.clock.now();
  const due = new Map<string, Tenant>();
  for (const key of await selectKeysThatMayBeDue(deps.database, now)) {
    if (due.has(key.tenantId)) continue;
    const tenant = await findTenantById(deps, key.tenantId);
    if (tenant && (key.status !== "active" || isOld(key, tenant, now))) due.set(tenant.id, tenant);
  }
  for (const tenant of due.values()) await rotateDueKeysOf(deps, tenant);
  return due.size;
}

async function rotateDueKeysOf(deps: Deps, tenant: Tenant): Promise<void> {
  const now = deps.clock.now();
  const keys = await selectSigningKeys(deps.database, tenant.id);
  const successors = await Promise.all(
    keys
      .filter((key) => needsSuccessor(key, keys, tenant, now))
      .map((key) =>
        generateSigningKey(deps, tenant.id, key.algorithm, "next", activationOf(key, tenant, now)),
      ),
  );
  if (successors.length === 0 && !keys.some((key) => isOver(key, now) || isRipe(key, now))) return;
  await deps.database.transaction((tx) => applyDueChanges(deps, tx, tenant, successors));
}

async function applyDueChanges(
  deps: Deps,
  tx: Transaction,
  tenant: Tenant,
  successors: readonly SigningKeyRow[],
): Promise<void> {
  const now = deps.clock.now();
  const context = systemContext(tenant.id, "key-rotation");
  await lockSigningKeys(tx, tenant.id);
  const keys = await selectSigningKeys(tx, tenant.id); // another process may have been quicker
  for (const key of keys.filter((one) => isOver(one, now))) {
    await deleteKey(tx, tenant.id, key.kid);
    tx.notify([`signing-keys:${tenant.id}`]);
  }
  for (const key of keys.filter((one) => isRipe(one, now))) {
    await retire(deps, tx, context, key.algorithm);
    await activateKey(tx, tenant.id, key.kid, now);
    await recordKeyEvent(deps, tx, context, "signing_key.activated", key);
  }
  for (const key of successors) {
    if (keys.some((other) => other.algorithm === key.algorithm && other.status === "next")) continue;
    await insertSigningKey(tx, key);
    await recordKeyEvent(deps, tx, context, "signing_key.created", key);
  }
}

async function retire(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  algorithm: SigningAlgorithm,
): Promise<void> {
  const expiresAt = addSeconds(deps.clock.now(), RETIRING_SECONDS);
  const kid = await retireActiveKey(tx, context.tenantId, algorithm, expiresAt);
  if (kid) await recordKeyEvent(deps, tx, context, "signing_key.retired", { kid, algorithm });
}

function isOver(key: SigningKeyRow, now: Date): boolean {
  return key.status === "retiring" && key.expiresAt !== null && key.expiresAt <= now;
}

function isRipe(key: SigningKeyRow, now: Date): boolean {
  return key.status === "next" && key.activatesAt <= now;
}

function needsSuccessor(
  key: SigningKeyRow,
  keys: readonly SigningKeyRow[],
  tenant: Tenant,
  now: Date,
): boolean {
  if (key.status !== "active" || !isOld(key, tenant, now)) return false;
  return !keys.some((other) => other.algorithm === key.algorithm && other.status === "next");
}

/** Whether its successor must be published by now. */
function isOld(key: { activatesAt: Date }, tenant: Tenant, now: Date): boolean {
  return addSeconds(endOf(key, tenant), -PUBLISH_AHEAD_SECONDS) <= now;
}

function endOf(key: { activatesAt: Date }, tenant: Tenant): Date {
  return addSeconds(key.activatesAt, tenant.settings.tokens.keyRotationDays * DAY);
}

/** On time, or a day from now where the server did not run for long. */
function activationOf(key: SigningKeyRow, tenant: Tenant, now: Date): Date {
  const soonest = addSeconds(now, PUBLISH_AHEAD_SECONDS);
  return new Date(Math.max(endOf(key, tenant).getTime(), soonest.getTime()));
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
