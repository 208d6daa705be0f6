import { IdentityError } from "@ostiary/contracts";
import { allDone } from "../../kernel/all-done.ts";
import type { RequestContext } from "../../kernel/context.ts";
import type { Transaction } from "../../platform/database/types.ts";
import { findApplication } from "../applications/index.ts";
import { type Deps, outsideTransaction, within } from "../deps.ts";
import { findTenantById } from "../tenants/index.ts";
import { revokeSession } from "./revoke-session.ts";
import { findIdsInSlot, insertSession, lockSlot, type Session, wantsOneSession } from "./session.store.ts";

export interface SessionLimit {
  atMost: number;
  whenFull: "end-oldest" | "refuse";
}

/** Counted in the session's slot, or over all slots among those that began through its application. */
type Counted = SessionLimit & { through: string | null };

export interface OwnLimits {
  door: SessionLimit | undefined;
  /** What the user has chosen; undefined: it is looked up. */
  wantsOneSession: boolean | undefined;
}

/** What holds for a new session of a person, whatever door it is for: the tenant's, the application's, his own limit. */
async function limitsOf(
  deps: Deps,
  session: Session,
  { door, wantsOneSession: known }: OwnLimits,
): Promise<Counted[]> {
  const { tenantId, userId, applicationId, parentId } = session;
  const limits: Counted[] = door ? [{ ...door, through: null }] : [];
  // What was derived from another session comes and goes with that one.
  if (parentId !== null) return limits;
  const outer = outsideTransaction(deps); // from the caches
  const settings = (await findTenantById(outer, tenantId))?.settings.sessions;
  const whenFull = settings?.whenFull ?? "end-oldest";
  if (settings?.maximum) limits.push({ atMost: settings.maximum, whenFull, through: null });
  if (applicationId !== null) {
    const own = (await findApplication(outer, tenantId, applicationId))?.settings;
    if (own?.maximumSessions) {
      const atMost = own.maximumSessions;
      limits.push({ atMost, whenFull: own.whenSessionsFull ?? whenFull, through: applicationId });
    }
  }
  if (known ?? (await wantsOneSession(deps.database, tenantId, userId))) {
    limits.push({ atMost: 1, whenFull: "end-oldest", through: null });
  }
  return limits;
}

/**
 * Begins a session where there is room for it; of six sign-ins at once, no more get in than may be.
 *
 * @throws IdentityError `session.limit_reached`
 */
export async function insertWithinLimits(
  deps: Deps,
  context: RequestContext,
  session: Session,
  own: OwnLimits,
): Promise<void> {
  const limits = await limitsOf(deps, session, own);
  if (limits.length === 0) return insertSession(deps.database, session);
  await deps.database.transaction(async (tx) => {
    const [, ...surpluses] = await allDone([
      lockSlot(tx, session.tenantId, session.userId),
      ...limits.map((limit) => surplusOf(tx, session, limit)), // sent behind the lock, so they read when it is held
    ]);
    const tooMany = new Set<string>();
    for (const [i, limit] of limits.entries()) {
      const surplus = surpluses[i] ?? [];
      if (surplus.length > 0 && limit.whenFull === "refuse") throw new IdentityError("session.limit_reached");
      for (const id of surplus) tooMany.add(id);
    }
    // One may end with another that it was derived from.
    for (const id of tooMany) await revokeSession(within(deps, tx), context, id, "session limit");
    await insertSession(tx, session);
  });
}

/** The oldest sessions, as many as must end before another one may begin. */
async function surplusOf(tx: Transaction, session: Session, limit: Counted): Promise<string[]> {
  const ids = await findIdsInSlot(tx, session, limit.through, session.createdAt);
  return ids.slice(0, Math.max(0, ids.length + 1 - limit.atMost));
}
