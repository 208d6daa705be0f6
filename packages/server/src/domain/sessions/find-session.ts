import { after } from "../../kernel/after.ts";
import { equalBytes } from "../../kernel/constant-time.ts";
import { isId } from "../../kernel/identifiers.ts";
import { TenantCache } from "../../kernel/tenant-cache.ts";
import { cachePerServer, type Deps, isJoined } from "../deps.ts";
import { hashSessionSecret } from "./create-session.ts";
import { loadSession, type Session } from "./session.store.ts";
import { touchSession } from "./touch-session.ts";
import { whileActing } from "./while-acting.ts";

/** Sessions kept in memory; each is about a kilobyte. */
const CAPACITY = 50_000;

const cacheOf = cachePerServer(
  (isLive) => new TenantCache<Session>(CAPACITY, isLive),
  (cache, noun, id) => {
    if (noun === "session") cache.invalidate(id);
    if (noun === "tenant") cache.invalidateTenant(id);
  },
);

/**
 * A session that is alive, else null. Synchronous when it is known. Looking at it does not keep it alive.
 *
 * @param generation - that of a token which was issued: what the cache has must not be older.
 */
export function findSession(
  deps: Deps,
  tenantId: string,
  id: string,
  generation = 0,
): Session | null | Promise<Session | null> {
  const load = () => loadSession(deps.database, tenantId, id);
  if (isJoined(deps)) return load().then((session) => whileActing(deps, alive(deps, session)));
  const session = cacheOf(deps).get(tenantId, id, load);
  const check = (loaded: Session | null) => {
    const known = alive(deps, loaded);
    return known && known.tokenGeneration >= generation ? whileActing(deps, known) : reload(deps, loaded);
  };
  return session instanceof Promise ? session.then(check) : check(session);
}

function alive(deps: Deps, session: Session | null): Session | null {
  return session?.revokedAt === null && session.expiresAt > deps.clock.now() ? session : null;
}

/**
 * Last-seen times travel through the database and not through change notices, so a session that seems idle for too
 * long is looked up again: another process may have seen it.
 */
function reload(deps: Deps, session: Session | null): null | Promise<Session | null> {
  return session?.revokedAt === null ? findSessionAnew(deps, session.tenantId, session.id) : null;
}

/** As `findSession`, for who has reason to think that the cached copy is older than what was done to the session. */
export function findSessionAnew(deps: Deps, tenantId: string, id: string): Promise<Session | null> {
  const load = () => loadSession(deps.database, tenantId, id);
  if (isJoined(deps)) return load().then((session) => whileActing(deps, alive(deps, session)));
  const cache = cacheOf(deps);
  cache.invalidate(id);
  const loaded = cache.get(tenantId, id, load);
  return Promise.resolve(loaded).then((found) => whileActing(deps, alive(deps, found)));
}

/**
 * The secret that was right for a session in the cache: a ticket is shown again with every request, and the keyed hash
 * is a tenth of its verification. Gone with the entry, so a renewed session is checked anew.
 */
const rightSecrets = new WeakMap<Session, Buffer>();

function wasRight(session: Session, secret: string): boolean {
  const right = rightSecrets.get(session);
  return right !== undefined && equalBytes(right, Buffer.from(secret));
}

/** The door that asks. What was given out for another one is not known here. */
export interface Door {
  slot: string;
  /** How exactly it keeps when a session was last seen, in seconds. */
  precision?: number;
}

/**
 * The live session of a cookie `<id>.<secret>`, else null. A browser that shows its cookie is there, so this keeps
 * the session alive. Synchronous when it is known and was seen just now.
 *
 * @param door - default: our own pages. A ticket that every application of a domain can read must not open those.
 */
export function findSessionByCookie(
  deps: Deps,
  tenantId: string,
  cookie: string | undefined,
  { slot, precision }: Door = { slot: "" },
): Session | null | Promise<Session | null> {
  const dot = cookie?.indexOf(".") ?? -1;
  if (cookie === undefined || dot < 0 || cookie.length > 256 || !isId(cookie.slice(0, dot))) return null;
  const secret = cookie.slice(dot + 1);
  const known = findSession(deps, tenantId, cookie.slice(0, dot));
  if (known !== null && !(known instanceof Promise) && wasRight(known, secret)) {
    return known.slot === slot ? after(touchSession(deps, known, precision), () => known) : null;
  }
  const hash = hashSessionSecret(deps, secret);
  const accept = (session: Session | null): Session | null | Promise<Session | null> => {
    if (!session || session.slot !== slot || !equalBytes(session.secretHash, hash)) return null;
    rightSecrets.set(session, Buffer.from(secret));
    return after(touchSession(deps, session, precision), () => session);
  };
  return after(known, (session) => {
    if (!session || equalBytes(session.secretHash, hash)) return accept(session);
    // The session was given a new secret a moment ago, perhaps by another process, and the notice is on its way.
    return findSessionAnew(deps, tenantId, session.id).then(accept);
  });
}
