import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from "node:crypto";
import { IdentityError, type SigningAlgorithm } from "@ostiary/contracts";
import { LoadingCache } from "../../kernel/loading-cache.ts";
import { cachePerServer, type Deps, isJoined } from "../deps.ts";
import { generateSigningKey, SIGNING_KEYS, sealingPurpose } from "./create-signing-key.ts";
import { type KeyStatus, keepFirstKey } from "./rotating-keys.ts";
import { type SigningKeyRow, selectSigningKeys } from "./signing-key.store.ts";

/** A key with its KeyObjects, so that signing costs no import. */
export interface RingKey {
  kid: string;
  algorithm: SigningAlgorithm;
  status: KeyStatus;
  publicJwk: Record<string, unknown>;
  publicKey: KeyObject;
  /** Of the active key only. */
  privateKey: KeyObject | null;
  /** The encoded protected header by `typ`, with its dot. */
  headers: Map<string, string>;
}

/** All keys of a tenant. */
export interface KeyRing {
  byKid: ReadonlyMap<string, RingKey>;
  active: ReadonlyMap<SigningAlgorithm, RingKey>;
  /** Monotonic milliseconds (`performance.now()`) of the load. */
  loadedAt: number;
}

/** Tenants whose keys are kept; a few kilobytes each. */
const CAPACITY = 2_000;

/** Milliseconds between two reloads for a key id that nobody knows, so that garbage costs no database. */
const RELOAD_INTERVAL = 1_000;

const keyRings = cachePerServer(
  (isLive) => new LoadingCache<KeyRing>(CAPACITY, isLive),
  (cache, noun, id) => {
    if (noun === "signing-keys") cache.invalidate(id);
  },
);

/** The tenant's keys; a plain value when they are in the cache. */
export function findSigningKeys(deps: Deps, tenantId: string): KeyRing | Promise<KeyRing> {
  const load = async () => toRing(deps, await selectSigningKeys(deps.database, tenantId));
  return isJoined(deps) ? load() : keyRings(deps).get(tenantId, load);
}

/** The key that signs now. A tenant's first key is made when it is first needed. */
export function findActiveKey(
  deps: Deps,
  tenantId: string,
  algorithm: SigningAlgorithm,
): RingKey | Promise<RingKey> {
  const ring = findSigningKeys(deps, tenantId);
  const key = ring instanceof Promise ? undefined : ring.active.get(algorithm);
  return key ?? loadActiveKey(deps, tenantId, algorithm);
}

async function loadActiveKey(deps: Deps, tenantId: string, algorithm: SigningAlgorithm): Promise<RingKey> {
  const kept = (await findSigningKeys(deps, tenantId)).active.get(algorithm);
  if (kept) return kept;
  const first = await generateSigningKey(deps, tenantId, algorithm, "active", deps.clock.now());
  await keepFirstKey(deps, SIGNING_KEYS, first);
  keyRings(deps).invalidate(tenantId);
  const made = (await findSigningKeys(deps, tenantId)).active.get(algorithm);
  if (!made) throw new IdentityError("server.unavailable", { reason: `no active ${algorithm} key` });
  return made;
}

/** The key that a token names; a plain value when it is in the cache. */
export function findKeyById(
  deps: Deps,
  tenantId: string,
  kid: string,
): RingKey | undefined | Promise<RingKey | undefined> {
  const ring = findSigningKeys(deps, tenantId);
  if (ring instanceof Promise) return ring.then((loaded) => loaded.byKid.get(kid));
  const key = ring.byKid.get(kid);
  if (key || performance.now() - ring.loadedAt < RELOAD_INTERVAL) return key;
  // Another process may have made the key a moment ago, and its notice is still on the way.
  keyRings(deps).invalidate(tenantId);
  return Promise.resolve(findSigningKeys(deps, tenantId)).then((loaded) => loaded.byKid.get(kid));
}

function toRing(deps: Deps, rows: readonly SigningKeyRow[]): KeyRing {
  const keys = rows.map((row) => toKey(deps, row));
  return {
    byKid: new Map(keys.map((key) => [key.kid, key])),
    active: new Map(keys.filter((key) => key.status === "active").map((key) => [key.algorithm, key])),
    loadedAt: performance.now(),
  };
}

function toKey(deps: Deps, row: SigningKeyRow): RingKey {
  const sealed = row.status === "active" ? row.sealedPrivate : null;
  return {
    kid: row.kid,
    algorithm: row.algorithm,
    status: row.status,
    publicJwk: row.publicJwk,
    publicKey: createPublicKey({ key: row.publicJwk as JsonWebKey, format: "jwk" }),
    privateKey:
      sealed && createPrivateKey(deps.secrets.unseal(sealed, sealingPurpose(row.tenantId, row.kid))),
    headers: new Map(),
  };
}
