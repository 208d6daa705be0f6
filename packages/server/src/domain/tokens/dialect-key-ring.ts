import { createPrivateKey, createPublicKey, createSecretKey, type KeyObject } from "node:crypto";
import { IdentityError } from "@ostiary/contracts";
import { LoadingCache } from "../../kernel/loading-cache.ts";
import { cachePerServer, type Deps, isJoined } from "../deps.ts";
import { type DialectKeyRow, selectDialectKeys } from "./dialect-key.store.ts";
import {
  DIALECT_KEYS,
  type DialectKeyPurpose,
  dialectSealingPurpose,
  generateDialectKey,
} from "./dialect-key.ts";
import { type KeyStatus, keepFirstKey } from "./rotating-keys.ts";

/** A dialect's key with its KeyObjects, so that signing costs no import. */
export interface DialectKey {
  kid: string;
  algorithm: "RS512" | "HS512";
  status: KeyStatus;
  /** Signs: a private key or the shared secret; null where it signs no more. */
  signingKey: KeyObject | null;
  /** Verifies: the public key or the shared secret. */
  verifyingKey: KeyObject;
  /** SPKI PEM of an RS512 key. */
  publicPem: string | null;
}

/** The keys of one purpose: the one that signs and all that still verify, by kid. */
export interface DialectKeyRing {
  active: DialectKey | undefined;
  byKid: ReadonlyMap<string, DialectKey>;
}

interface Rings {
  byPurpose: ReadonlyMap<string, DialectKeyRing>;
  /** Monotonic milliseconds of the load. */
  loadedAt: number;
}

/** Tenants whose keys are kept; a few kilobytes each. */
const CAPACITY = 2_000;

/** Milliseconds between two reloads for a key id that nobody knows, so that garbage costs no database. */
const RELOAD_INTERVAL = 1_000;

const NO_KEYS: DialectKeyRing = { active: undefined, byKid: new Map() };

const caches = cachePerServer(
  (isLive) => new LoadingCache<Rings>(CAPACITY, isLive),
  (cache, noun, id) => {
    if (noun === "signing-keys") cache.invalidate(id);
  },
);

function findRings(deps: Deps, tenantId: string): Rings | Promise<Rings> {
  const load = async () => toRings(deps, await selectDialectKeys(deps.database, tenantId));
  return isJoined(deps) ? load() : caches(deps).get(tenantId, load);
}

/** The tenant's keys of a purpose, perhaps none yet; a plain value when they are in the cache. */
export function findDialectKeys(
  deps: Deps,
  tenantId: string,
  purpose: DialectKeyPurpose,
): DialectKeyRing | Promise<DialectKeyRing> {
  const rings = findRings(deps, tenantId);
  return rings instanceof Promise
    ? rings.then((loaded) => loaded.byPurpose.get(purpose) ?? NO_KEYS)
    : (rings.byPurpose.get(purpose) ?? NO_KEYS);
}

/** The key that signs now; a plain value when it is in the cache. The first one is made when it is first needed. */
export function findActiveDialectKey(
  deps: Deps,
  tenantId: string,
  purpose: DialectKeyPurpose,
): DialectKey | Promise<DialectKey> {
  const ring = findDialectKeys(deps, tenantId, purpose);
  const key = ring instanceof Promise ? undefined : ring.active;
  return key ?? loadActiveKey(deps, tenantId, purpose);
}

async function loadActiveKey(deps: Deps, tenantId: string, purpose: DialectKeyPurpose): Promise<DialectKey> {
  const kept = (await findDialectKeys(deps, tenantId, purpose)).active;
  if (kept) return kept;
  const first = await generateDialectKey(deps, tenantId, purpose, "active", deps.clock.now());
  await keepFirstKey(deps, DIALECT_KEYS, first);
  caches(deps).invalidate(tenantId);
  const made = (await findDialectKeys(deps, tenantId, purpose)).active;
  if (!made) throw new IdentityError("server.unavailable", { reason: `no active key for ${purpose}` });
  return made;
}

/** The key that a token names; a plain value when it is in the cache. */
export function findDialectKeyById(
  deps: Deps,
  tenantId: string,
  purpose: DialectKeyPurpose,
  kid: string,
): DialectKey | undefined | Promise<DialectKey | undefined> {
  const ring = findRings(deps, tenantId);
  const find = (rings: Rings) => rings.byPurpose.get(purpose)?.byKid.get(kid);
  if (ring instanceof Promise) return ring.then(find);
  const key = find(ring);
  if (key || performance.now() - ring.loadedAt < RELOAD_INTERVAL) return key;
  // Another process may have made the key a moment ago, and its notice is still on the way.
  caches(deps).invalidate(tenantId);
  return Promise.resolve(findRings(deps, tenantId)).then(find);
}

function toRings(deps: Deps, rows: readonly DialectKeyRow[]): Rings {
  const byPurpose = new Map<string, { active: DialectKey | undefined; byKid: Map<string, DialectKey> }>();
  for (const row of rows) {
    const ring = byPurpose.get(row.purpose) ?? { active: undefined, byKid: new Map() };
    const key = toKey(deps, row);
    ring.byKid.set(key.kid, key);
    if (key.status === "active") ring.active = key;
    byPurpose.set(row.purpose, ring);
  }
  return { byPurpose, loadedAt: performance.now() };
}

function toKey(deps: Deps, row: DialectKeyRow): DialectKey {
  const secret = row.sealedSecret && deps.secrets.unseal(row.sealedSecret, dialectSealingPurpose(row));
  const { kid, algorithm, status, publicKey } = row;
  if (publicKey !== null) {
    const signingKey = secret && status === "active" ? createPrivateKey(secret) : null;
    const verifyingKey = createPublicKey(publicKey);
    return { kid, algorithm, status, signingKey, verifyingKey, publicPem: publicKey };
  }
  if (!secret) throw new RangeError(`key ${kid} has no secret`);
  const shared = createSecretKey(Buffer.from(secret, "base64url"));
  const signingKey = status === "active" ? shared : null;
  return { kid, algorithm, status, signingKey, verifyingKey: shared, publicPem: null };
}
