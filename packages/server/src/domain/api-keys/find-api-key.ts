import { after } from "../../kernel/after.ts";
import { ALL_PERMISSIONS } from "../../kernel/context.ts";
import { type LatestTime, LateWrites } from "../../kernel/late-writes.ts";
import { LoadingCache } from "../../kernel/loading-cache.ts";
import { applicationPermissions, findPrincipal } from "../access/index.ts";
import { findApplication } from "../applications/index.ts";
import { cachePerServer, type Deps, isJoined, onePerServer } from "../deps.ts";
import { loadApiKeyByHash, type StoredApiKey, updateLastUsed } from "./api-key.store.ts";
import { common } from "./check-control.ts";
import { hashApiKey, KEY_PATTERN } from "./create-api-key.ts";

/** A key that is good now. Whether its owner is, says `apiKeyPermissions`. */
export type VerifiedApiKey = Readonly<StoredApiKey>;

/** Keys kept in memory; each is about half a kilobyte. */
const CAPACITY = 10_000;

const cacheOf = cachePerServer(
  (isLive) => new LoadingCache<StoredApiKey | null>(CAPACITY, isLive),
  (cache, noun, id) => {
    if (noun === "api-key") cache.invalidateWhere((key) => key?.id === id);
    // Deleting the owner deletes the key.
    if (noun === "application") cache.invalidateWhere((key) => key?.applicationId === id);
    if (noun === "tenant") cache.invalidateWhere((key) => key?.tenantId === id);
  },
);

/**
 * The key of this plain text, when it is active and has not expired, else null. It is cached under its keyed hash;
 * status and expiry are looked at on each call. Notes the use.
 */
export function findApiKey(
  deps: Deps,
  plainKey: string,
): VerifiedApiKey | null | Promise<VerifiedApiKey | null> {
  if (!KEY_PATTERN.test(plainKey)) return null;
  const hash = hashApiKey(deps, plainKey);
  const load = () => loadApiKeyByHash(deps.database, hash);
  if (isJoined(deps)) return load().then((key) => use(deps, key));
  const cache = cacheOf(deps);
  const name = hash.toString("base64url");
  const key = cache.get(name, load);
  if (!(key instanceof Promise)) return use(deps, key);
  return key.then((loaded) => {
    // Guesses must not push real keys out.
    if (loaded === null) cache.invalidate(name);
    return use(deps, loaded);
  });
}

function use(deps: Deps, key: StoredApiKey | null): VerifiedApiKey | null {
  const now = deps.clock.now();
  if (key?.status !== "active" || (key.expiresAt !== null && key.expiresAt <= now)) return null;
  lastUsed(deps).note(key.id, { tenantId: key.tenantId, id: key.id, at: now });
  return key;
}

/**
 * What a key may do now: its owner's permissions, as far as the key names them. A global key's owner is the tenant
 * itself, which may do everything. Null when its user is not active or its application is disabled: then the key must be refused.
 * A plain value when everything is in the caches.
 */
export function apiKeyPermissions(
  deps: Deps,
  key: VerifiedApiKey,
): ReadonlySet<string> | null | Promise<ReadonlySet<string> | null> {
  const { tenantId, userId, applicationId } = key;
  if (userId !== null) {
    return after(findPrincipal(deps, tenantId, userId), (principal) =>
      principal?.status === "active" ? limited(principal.permissions, key) : null,
    );
  }
  if (applicationId !== null) {
    return after(findApplication(deps, tenantId, applicationId), (application) =>
      application?.status === "active"
        ? after(applicationPermissions(deps, application), (owned) => limited(owned, key))
        : null,
    );
  }
  return limited(ALL_PERMISSIONS, key);
}

/** The last answer of a key that is in the cache; good as long as its owner's permissions are the same object. */
const lastLimited = new WeakMap<
  VerifiedApiKey,
  { owned: ReadonlySet<string>; common: ReadonlySet<string> }
>();

function limited(owned: ReadonlySet<string>, key: VerifiedApiKey): ReadonlySet<string> {
  if (key.permissions === null) return owned;
  const last = lastLimited.get(key);
  if (last?.owned === owned) return last.common;
  const both = new Set(common(owned, key.permissions));
  lastLimited.set(key, { owned, common: both });
  return both;
}

/** A key's use is written once a minute at most, together with the other keys'. */
const DELAY_MILLISECONDS = 60_000;

const lastUsed = onePerServer(
  (deps) =>
    new LateWrites<LatestTime>(
      DELAY_MILLISECONDS,
      (times) => updateLastUsed(deps.database, times),
      (error) => deps.log.warn({ err: error }, "writing when API keys were last used failed"),
    ),
);

/** Writes last-used times that wait; for the end of the server. */
export async function finishLastUsed(deps: Deps): Promise<void> {
  await lastUsed(deps).flush();
}
