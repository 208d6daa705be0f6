import { IdentityError, type Tenant } from "@ostiary/contracts";
import { addSeconds } from "../../kernel/clock.ts";
import { type RequestContext, systemContext } from "../../kernel/context.ts";
import type { Queryable, Transaction } from "../../platform/database/types.ts";
import { recordEvent } from "../audit/index.ts";
import { type Deps, outsideTransaction } from "../deps.ts";
import { findTenantById } from "../tenants/index.ts";
import { lockSigningKeys } from "./signing-key.store.ts";

const DAY = 86_400;

/** Seconds a new key is known before it signs: longer than anybody keeps a copy of the JWKS. */
const PUBLISH_AHEAD_SECONDS = DAY;

/** `next` is published but does not sign yet; `active` signs; `retiring` only verifies, until `expiresAt`. */
export type KeyStatus = "next" | "active" | "retiring";

/** What every kind of key has. */
export interface RotatingKey {
  tenantId: string;
  kid: string;
  algorithm: string;
  status: KeyStatus;
  activatesAt: Date;
  expiresAt: Date | null;
}

/** A table of keys: those of OAuth and OpenID Connect, or those of the dialects. */
export interface KeyKind<Key extends RotatingKey> {
  /** Keys of one line succeed each other: at any time one of them is active. */
  lineOf(key: Key): string;
  /** Age in days at which a key is replaced; null: by hand only. */
  rotationDays(key: Key, tenant: Tenant): number | null;
  /** Seconds a retired key still verifies: no token that it signed lives longer. */
  retiringSeconds(key: Key): number;
  successorOf(deps: Deps, key: Key, activatesAt: Date): Promise<Key>;
  select(database: Queryable, tenantId: string): Promise<Key[]>;
  /** Keys of all tenants for which something may have to be done. */
  selectThatMayBeDue(database: Queryable, now: Date): Promise<{ tenantId: string }[]>;
  insert(tx: Transaction, key: Key): Promise<void>;
  activate(tx: Transaction, key: Key, now: Date): Promise<void>;
  retire(tx: Transaction, key: Key, expiresAt: Date): Promise<void>;
  remove(tx: Transaction, key: Key): Promise<void>;
}

/**
 * Keeps the tenant's first key of a line. Any number of processes may try at once: the lock lets one win and the
 * others find its key. In a transaction of its own, since a key that has signed must never be rolled back.
 */
export async function keepFirstKey<Key extends RotatingKey>(
  joined: Deps,
  kind: KeyKind<Key>,
  key: Key,
): Promise<void> {
  const deps = outsideTransaction(joined);
  await deps.database.transaction(async (tx) => {
    await lockSigningKeys(tx, key.tenantId);
    if (activeOf(kind, await kind.select(tx, key.tenantId), key)) return;
    await kind.insert(tx, key);
    await recordKeyEvent(deps, tx, systemContext(key.tenantId), "signing_key.created", key);
  });
}

/** The key signs from now on; the one before only verifies, until all its tokens have expired. */
export async function replaceActiveKey<Key extends RotatingKey>(
  deps: Deps,
  context: RequestContext,
  kind: KeyKind<Key>,
  key: Key,
): Promise<void> {
  await deps.database.transaction(async (tx) => {
    await lockSigningKeys(tx, key.tenantId);
    await retireActive(deps, tx, context, kind, await kind.select(tx, key.tenantId), key);
    await kind.insert(tx, key);
    await recordKeyEvent(deps, tx, context, "signing_key.created", key);
  });
}

/** @throws IdentityError `signing_key.not_found`, `signing_key.in_use` */
export async function forgetKey<Key extends RotatingKey>(
  deps: Deps,
  context: RequestContext,
  kind: KeyKind<Key>,
  isIt: (key: Key) => boolean,
): Promise<void> {
  await deps.database.transaction(async (tx) => {
    await lockSigningKeys(tx, context.tenantId);
    const key = (await kind.select(tx, context.tenantId)).find(isIt);
    if (!key) throw new IdentityError("signing_key.not_found");
    if (key.status === "active") throw new IdentityError("signing_key.in_use");
    await kind.remove(tx, key);
    await recordKeyEvent(deps, tx, context, "signing_key.retired", key);
  });
}

/**
 * Publishes successors a day ahead, lets them sign when their time has come, and deletes keys whose tokens have all
 * expired. Safe to run in several processes at once.
 *
 * @returns tenants whose keys were changed.
 */
export async function rotateDue<Key extends RotatingKey>(deps: Deps, kind: KeyKind<Key>): Promise<string[]> {
  const due = await kind.selectThatMayBeDue(deps.database, deps.clock.now());
  const changed: string[] = [];
  for (const tenantId of new Set(due.map((key) => key.tenantId))) {
    const tenant = await findTenantById(deps, tenantId);
    if (tenant && (await rotateDueOf(deps, kind, tenant))) changed.push(tenantId);
  }
  return changed;
}

async function rotateDueOf<Key extends RotatingKey>(
  deps: Deps,
  kind: KeyKind<Key>,
  tenant: Tenant,
): Promise<boolean> {
  const now = deps.clock.now();
  const keys = await kind.select(deps.database, tenant.id);
  const successors = await Promise.all(
    keys.flatMap((key) => {
      const end = endOf(kind, key, tenant);
      return end && needsSuccessor(kind, key, keys, end, now)
        ? [kind.successorOf(deps, key, activationAt(end, now))]
        : [];
    }),
  );
  if (successors.length === 0 && !keys.some((key) => isOver(key, now) || isRipe(key, now))) return false;
  await deps.database.transaction((tx) => applyDueChanges(deps, tx, kind, tenant, successors));
  return true;
}

async function applyDueChanges<Key extends RotatingKey>(
  deps: Deps,
  tx: Transaction,
  kind: KeyKind<Key>,
  tenant: Tenant,
  successors: readonly Key[],
): Promise<void> {
  const now = deps.clock.now();
  const context = systemContext(tenant.id, "key-rotation");
  await lockSigningKeys(tx, tenant.id);
  const keys = await kind.select(tx, tenant.id); // another process may have been quicker
  for (const key of keys.filter((one) => isOver(one, now))) {
    await kind.remove(tx, key);
    tx.notify([`signing-keys:${tenant.id}`]);
  }
  for (const key of keys.filter((one) => isRipe(one, now))) {
    await retireActive(deps, tx, context, kind, keys, key);
    await kind.activate(tx, key, now);
    await recordKeyEvent(deps, tx, context, "signing_key.activated", key);
  }
  for (const key of successors) {
    if (nextOf(kind, keys, key)) continue;
    await kind.insert(tx, key);
    await recordKeyEvent(deps, tx, context, "signing_key.created", key);
  }
}

async function retireActive<Key extends RotatingKey>(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  kind: KeyKind<Key>,
  keys: readonly Key[],
  successor: Key,
): Promise<void> {
  const active = activeOf(kind, keys, successor);
  if (!active) return;
  await kind.retire(tx, active, addSeconds(deps.clock.now(), kind.retiringSeconds(active)));
  await recordKeyEvent(deps, tx, context, "signing_key.retired", active);
}

/** A change of the tenant's keys: the audit log hears it, and every process drops what it has in its cache. */
function recordKeyEvent(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  type: "signing_key.created" | "signing_key.activated" | "signing_key.retired",
  key: RotatingKey,
): Promise<void> {
  const event = { type, target: { type: "signing-key", id: key.kid }, data: { algorithm: key.algorithm } };
  return recordEvent(deps, tx, context, event, [`signing-keys:${context.tenantId}`]);
}

function ofLine<Key extends RotatingKey>(
  kind: KeyKind<Key>,
  keys: readonly Key[],
  key: Key,
  status: KeyStatus,
) {
  return keys.find((other) => other.status === status && kind.lineOf(other) === kind.lineOf(key));
}

function activeOf<Key extends RotatingKey>(kind: KeyKind<Key>, keys: readonly Key[], key: Key) {
  return ofLine(kind, keys, key, "active");
}

function nextOf<Key extends RotatingKey>(kind: KeyKind<Key>, keys: readonly Key[], key: Key) {
  return ofLine(kind, keys, key, "next");
}

function isOver(key: RotatingKey, now: Date): boolean {
  return key.status === "retiring" && key.expiresAt !== null && key.expiresAt <= now;
}

function isRipe(key: RotatingKey, now: Date): boolean {
  return key.status === "next" && key.activatesAt <= now;
}

/** Whether it signs, nobody is to follow it yet, and its successor must be published by now. */
function needsSuccessor<Key extends RotatingKey>(
  kind: KeyKind<Key>,
  key: Key,
  keys: readonly Key[],
  end: Date,
  now: Date,
): boolean {
  if (key.status !== "active" || addSeconds(end, -PUBLISH_AHEAD_SECONDS) > now) return false;
  return !nextOf(kind, keys, key);
}

function endOf<Key extends RotatingKey>(kind: KeyKind<Key>, key: Key, tenant: Tenant): Date | null {
  const days = kind.rotationDays(key, tenant);
  return days === null ? null : addSeconds(key.activatesAt, days * DAY);
}

/** On time, or a day from now where the server did not run for long. */
function activationAt(end: Date, now: Date): Date {
  const soonest = addSeconds(now, PUBLISH_AHEAD_SECONDS);
  return end > soonest ? end : soonest;
}
