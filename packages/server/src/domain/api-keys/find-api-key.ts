import { ALL_PERMISSIONS } from "../../kernel/context.ts";
import { LatestTimes } from "../../kernel/latest-times.ts";
import { LoadingCache } from "../../kernel/loading-cache.ts";
import { applicationPermissions, findPrincipal } from "../access/index.ts";
import { findApplication } from "../applications/index.ts";
import { type Deps, isJoined, onePerServer, outsideTransaction } from "../deps.ts";
import { loadApiKeyByHash, type StoredApiKey, updateLastUsed } from "./api-key.store.ts";
import { common } from "./check-control.ts";
import { hashApiKey, KEY_PATTERN } from "./create-api-key.ts";

/** A key that is good now. Whether its owner is, says `apiKeyPermissions`. */
export type VerifiedApiKey = Readonly<StoredApiKey>;

/** Keys kept in memory; each is about half a kilobyte. */
const CAPACITY = 10_000;

const cacheOf = onePerServer((feed) => {
  const keys = new LoadingCache<StoredApiKey | null>(CAPACITY, () => feed.live);
  feed.subscribe({
    onChange: (noun, id) => {
      if (noun === "api-key") keys.invalidateWhere((key) => key?.id === id);
      // Deleting the owner deletes the key.
      if (noun === "application") keys.invalidateWhere((key) => key?.applicationId === id);
      if (noun === "tenant") keys.invalidateWhere((key) => key?.tenantId === id);
    },
    onGap: () => keys.clear(),
  });
  return keys;
});

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
  lastUsed(deps).note(key.tenantId, key.id, now);
  return key;
}

/**
 * What a key may do now: its owner's permissions, as far as the key names them. A global key's owner is the tenant
 * itself, which may do everything. Null when its user is not active or its application is disabled: then the key must be refused.
 */
export async function apiKeyPermissions(
  deps: Deps,
  key: VerifiedApiKey,
): Promise<ReadonlySet<string> | null> {
  if (key.userId !== null) {
    const principal = await findPrincipal(deps, key.tenantId, key.userId);
    return principal?.status === "active" ? limited(principal.permissions, key) : null;
  }
  if (key.applicationId !== null) {
    const application = await findApplication(deps, key.tenantId, key.applicationId);
    if (application?.status !== "active") return null;
    return limited(await applicationPermissions(deps, application), key);
  }
  return limited(ALL_PERMISSIONS, key);
}

function limited(owned: ReadonlySet<string>, key: VerifiedApiKey): ReadonlySet<string> {
  return key.permissions === null ? owned : new Set(common(owned, key.permissions));
}

/** A key's use is written once a minute at most, together with the other keys'. */
const DELAY_MILLISECONDS = 60_000;

const slotOf = onePerServer((): { times: LatestTimes | undefined } => ({ times: undefined }));

function lastUsed(joined: Deps): LatestTimes {
  const slot = slotOf(joined);
  if (!slot.times) {
    const deps = outsideTransaction(joined);
    slot.times = new LatestTimes(
      DELAY_MILLISECONDS,
      (times) => updateLastUsed(deps.database, times),
      (error) => deps.log.warn({ err: error }, "writing when API keys were last used failed"),
    );
  }
  return slot.times;
}

/** Writes last-used times that wait; for the end of the server. */
export async function finishLastUsed(deps: Deps): Promise<void> {
  await lastUsed(deps).flush();
}
