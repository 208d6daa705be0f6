import {
  IdentityError,
  type Page,
  type PageRequest,
  type Session as PublicSession,
} from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { checkPermission } from "../access/index.ts";
import type { Deps } from "../deps.ts";
import { findSession } from "./find-session.ts";
import { isSelf } from "./revoke-session.ts";
import { findLiveSessions, type Session } from "./session.store.ts";

/** The live sessions of a tenant, newest first. Needs `session:read`. */
export async function listSessions(
  deps: Deps,
  context: RequestContext,
  query: PageRequest & { userId?: string | undefined } = {},
): Promise<Page<PublicSession>> {
  checkPermission(context, "session:read");
  return page(deps, context.tenantId, query.userId, query);
}

/** The live sessions of one user, newest first. One's own, or with `session:read`. */
export async function listSessionsOfUser(
  deps: Deps,
  context: RequestContext,
  userId: string,
  query: PageRequest = {},
): Promise<Page<PublicSession>> {
  if (!isSelf(context, userId)) checkPermission(context, "session:read");
  return page(deps, context.tenantId, userId, query);
}

/** One's own, or with `session:read`. @throws IdentityError `session.not_found`: also when it has ended. */
export async function getSession(deps: Deps, context: RequestContext, id: string): Promise<PublicSession> {
  const session = await findSession(deps, context.tenantId, id);
  if (!session || !isSelf(context, session.userId)) checkPermission(context, "session:read");
  if (!session) throw new IdentityError("session.not_found");
  return toPublic(session);
}

async function page(
  deps: Deps,
  tenantId: string,
  userId: string | undefined,
  { limit = 50, after }: PageRequest,
): Promise<Page<PublicSession>> {
  const rows = await findLiveSessions(deps.database, tenantId, userId, deps.clock.now(), after, limit + 1);
  const items = rows.slice(0, limit);
  return {
    items: items.map(toPublic),
    next: rows.length > limit ? (items.at(-1)?.id ?? null) : null,
  };
}

function toPublic(session: Session): PublicSession {
  return {
    id: session.id,
    userId: session.userId,
    device: session.deviceName,
    ip: session.ip,
    userAgent: session.userAgent,
    applicationId: session.applicationId,
    door: session.slot,
    amr: [...session.amr],
    impersonatorId: session.impersonatorId,
    authenticatedAt: session.authenticatedAt.toISOString(),
    createdAt: session.createdAt.toISOString(),
    lastSeenAt: session.lastSeenAt.toISOString(),
    expiresAt: session.expiresAt.toISOString(),
  };
}
