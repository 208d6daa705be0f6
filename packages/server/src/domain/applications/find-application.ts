import { after } from "../../kernel/after.ts";
import { isId } from "../../kernel/identifiers.ts";
import { LoadingCache } from "../../kernel/loading-cache.ts";
import { TenantCache } from "../../kernel/tenant-cache.ts";
import { cachePerServer, type Deps, isJoined, onePerServer } from "../deps.ts";
import {
  type Application,
  findIdBySerial,
  findIdBySlug,
  isReturnOrigin,
  loadApplication,
} from "./application.store.ts";

/** Applications kept in memory; each is a few kilobytes at most. */
const CAPACITY = 10_000;

const cacheOf = cachePerServer(
  (isLive) => new TenantCache<Application>(CAPACITY, isLive),
  (cache, noun, id) => {
    if (noun === "application") cache.invalidate(id);
    if (noun === "tenant") cache.invalidateTenant(id);
  },
);

/** An application with its secrets' hashes, for the rules that authenticate clients. Synchronous when it is known. */
export function findApplication(
  deps: Deps,
  tenantId: string,
  id: string,
): Application | null | Promise<Application | null> {
  const load = () => loadApplication(deps.database, tenantId, id);
  return isJoined(deps) ? load() : cacheOf(deps).get(tenantId, id, load);
}

/** Which id a serial stands for. It never changes, so nothing has to be invalidated. */
const idsOf = onePerServer(() => new LoadingCache<string | null>(CAPACITY));

/** The same by serial, for dialects whose clients know applications by numbers. */
export function findApplicationBySerial(
  deps: Deps,
  tenantId: string,
  serial: number,
): Application | null | Promise<Application | null> {
  if (!Number.isSafeInteger(serial) || serial < 1) return null;
  const key = `${tenantId}/${serial}`;
  const load = () => findIdBySerial(deps.database, tenantId, serial);
  const proceed = (id: string | null) => {
    if (id !== null) return findApplication(deps, tenantId, id);
    idsOf(deps).invalidate(key); // may be created later
    return null;
  };
  const id = isJoined(deps) ? load() : idsOf(deps).get(key, load);
  return id instanceof Promise ? id.then(proceed) : proceed(id);
}

const idsBySlug = onePerServer(() => new LoadingCache<string | null>(CAPACITY));

/**
 * The same by id or slug, for dialects whose clients know applications by codes. A slug may pass from one application
 * to another, so what is remembered is compared with the application itself.
 */
export function findApplicationByCode(
  deps: Deps,
  tenantId: string,
  code: string,
): Application | null | Promise<Application | null> {
  if (!isId(code)) return findBySlug(deps, tenantId, code);
  const byId = findApplication(deps, tenantId, code);
  return after(byId, (application) => application ?? findBySlug(deps, tenantId, code));
}

function findBySlug(
  deps: Deps,
  tenantId: string,
  slug: string,
): Application | null | Promise<Application | null> {
  const key = `${tenantId}/${slug}`;
  const known = isJoined(deps) ? undefined : idsBySlug(deps).peek(key);
  if (typeof known !== "string") return loadBySlug(deps, tenantId, slug);
  return after(findApplication(deps, tenantId, known), (application) => {
    if (application?.slug === slug) return application;
    idsBySlug(deps).invalidate(key);
    return loadBySlug(deps, tenantId, slug);
  });
}

async function loadBySlug(deps: Deps, tenantId: string, slug: string): Promise<Application | null> {
  const key = `${tenantId}/${slug}`;
  const load = () => findIdBySlug(deps.database, tenantId, slug);
  const id = await (isJoined(deps) ? load() : idsBySlug(deps).get(key, load));
  if (id === null) idsBySlug(deps).invalidate(key); // may be created later
  return id === null ? null : findApplication(deps, tenantId, id);
}

/** Whether an active application of the tenant lets log-ins by ticket return to this origin. */
export function isReturnOriginOfApplication(deps: Deps, tenantId: string, origin: string): Promise<boolean> {
  return isReturnOrigin(deps.database, tenantId, origin);
}
