import { IdentityError } from "@ostiary/contracts";
import { addSeconds } from "../../kernel/clock.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { newId, newSecret } from "../../kernel/identifiers.ts";
import {
  checkMayControl,
  checkNotImpersonated,
  checkPermission,
  findPrincipal,
  type Principal,
} from "../access/index.ts";
import { recordEvent } from "../audit/index.ts";
import { type Deps, within } from "../deps.ts";
import {
  createImpersonatedSession,
  findSessionByCookie,
  revokeSession,
  type Session,
} from "../sessions/index.ts";
import { linkTo } from "../tenants/index.ts";
import {
  consumeImpersonation,
  type Impersonation,
  insertImpersonation,
  selectOpenImpersonation,
} from "./impersonation.store.ts";

/** Seconds in which the link must be opened. */
const LINK_SECONDS = 300;
/** Seconds: long enough to look at what somebody sees, and then it is over, used or not. */
const SESSION_SECONDS = 1_800;

/**
 * Allows the calling administrator to act as a user, once, from the browser in which he himself is signed in. The
 * caller is a person, so that the record names one; the user has no right that the caller lacks.
 *
 * @param input.reason - for the audit log, in words.
 * @returns the address to open, good for five minutes.
 * @throws IdentityError `permission.denied`, `permission.escalation`, `impersonation.not_allowed` (nobody acts for
 *   himself, nor while acting as somebody), `authentication.required`, `user.not_found`, `user.suspended`
 */
export async function allowImpersonation(
  deps: Deps,
  context: RequestContext,
  userId: string,
  input: { reason: string },
): Promise<{ id: string; url: string; expiresAt: string }> {
  checkPermission(context, "user:impersonate");
  const impersonatorId = personOf(context);
  if (impersonatorId === userId) throw new IdentityError("impersonation.not_allowed", { reason: "oneself" });
  const { tenantId } = context;
  const now = deps.clock.now();
  const token = newSecret();
  const expiresAt = addSeconds(now, LINK_SECONDS);
  const id = newId(now);
  await deps.database.transaction(async (tx) => {
    await findTarget(within(deps, tx), context, userId);
    await insertImpersonation(tx, tenantId, {
      id,
      impersonatorId,
      userId,
      reason: input.reason,
      tokenHash: tokenHash(deps, token),
      createdAt: now,
      expiresAt,
    });
    await recordEvent(deps, tx, context, {
      type: "impersonation.allowed",
      target: { type: "user", id: userId },
      data: { impersonationId: id, reason: input.reason },
    });
  });
  const url = await linkTo(deps, tenantId, "/impersonate", { token });
  return { id, url, expiresAt: expiresAt.toISOString() };
}

/**
 * What a link would begin, for the page that asks before it does.
 *
 * @param own - the session of the browser; the link is good for its person only.
 * @throws IdentityError `impersonation.refused`, `impersonation.not_allowed`
 */
export async function findImpersonation(
  deps: Deps,
  context: RequestContext,
  own: Session,
  token: string,
): Promise<Impersonation & { user: Principal }> {
  if (own.impersonatorId !== null) throw new IdentityError("impersonation.not_allowed");
  const { tenantId } = context;
  const now = deps.clock.now();
  const hash = tokenHash(deps, token);
  const found = await selectOpenImpersonation(deps.database, tenantId, hash, own.userId, now);
  const user = found && (await findPrincipal(deps, tenantId, found.userId));
  if (!found || !user) throw new IdentityError("impersonation.refused");
  return { ...found, user };
}

/**
 * Begins to act as the user. Whether the administrator may is asked again, with the rights that both have now.
 *
 * @param own - the session of the browser, which goes on: `endImpersonation` returns to it.
 * @returns the cookie of the other session. The caller keeps the cookie of `own`.
 * @throws IdentityError `impersonation.refused`, `impersonation.not_allowed`, `permission.denied`,
 *   `permission.escalation`, `user.suspended`
 */
export async function beginImpersonation(
  deps: Deps,
  context: RequestContext,
  own: Session,
  token: string,
): Promise<{ session: Session; cookie: string }> {
  const { id, userId, reason } = await findImpersonation(deps, context, own, token);
  const { tenantId } = context;
  const administrator = await findPrincipal(deps, tenantId, own.userId);
  if (administrator?.status !== "active") throw new IdentityError("impersonation.refused");
  const who: RequestContext = {
    ...context,
    actor: { type: "user", id: own.userId },
    permissions: administrator.permissions,
    subject: { type: "user", id: own.userId, limit: null },
  };
  checkPermission(who, "user:impersonate");
  return deps.database.transaction(async (tx) => {
    const joined = within(deps, tx);
    await findTarget(joined, who, userId);
    if (!(await consumeImpersonation(tx, tenantId, id, deps.clock.now()))) {
      throw new IdentityError("impersonation.refused");
    }
    const begun = await createImpersonatedSession(joined, who, own, {
      userId,
      reason,
      seconds: SESSION_SECONDS,
    });
    await recordEvent(deps, tx, who, {
      type: "impersonation.begun",
      target: { type: "user", id: userId },
      data: { impersonationId: id, sessionId: begun.session.id, reason },
    });
    return begun;
  });
}

/**
 * Ends acting as somebody: that session and its tokens are over.
 *
 * @param session - the session of the browser.
 * @param ownCookie - the cookie that the browser kept when it began.
 * @returns the cookie of the administrator's own session, when that is alive and his; else null.
 * @throws IdentityError `impersonation.not_allowed` when nobody acts for the user
 */
export async function endImpersonation(
  deps: Deps,
  context: RequestContext,
  session: Session,
  ownCookie: string | undefined,
): Promise<{ cookie: string | null }> {
  const { impersonatorId, userId, id } = session;
  if (impersonatorId === null) throw new IdentityError("impersonation.not_allowed");
  const who: RequestContext = { ...context, actor: { type: "user", id: userId }, impersonatorId };
  await deps.database.transaction(async (tx) => {
    if (!(await revokeSession(within(deps, tx), who, id, "impersonation ended"))) return;
    await recordEvent(deps, tx, who, {
      type: "impersonation.ended",
      target: { type: "user", id: userId },
      data: { sessionId: id },
    });
  });
  const own = await findSessionByCookie(deps, context.tenantId, ownCookie);
  const returns = own?.userId === impersonatorId && own.id === session.parentId;
  return { cookie: returns ? (ownCookie ?? null) : null };
}

/** Who acts in a session, for the banner; null when it is the user himself. */
export async function findImpersonator(
  deps: Deps,
  session: Pick<Session, "tenantId" | "impersonatorId">,
): Promise<Principal | null> {
  const { tenantId, impersonatorId } = session;
  return impersonatorId === null ? null : findPrincipal(deps, tenantId, impersonatorId);
}

async function findTarget(joined: Deps, who: RequestContext, userId: string): Promise<void> {
  const user = await findPrincipal(joined, who.tenantId, userId);
  if (!user || user.status === "deleted") throw new IdentityError("user.not_found");
  if (user.status !== "active") throw new IdentityError("user.suspended");
  await checkMayControl(joined, who, userId);
}

function personOf(context: RequestContext): string {
  checkNotImpersonated(context);
  const { type, id } = context.actor;
  if (type !== "user" || id === null) {
    throw new IdentityError("authentication.required", { reason: "only a person acts as another" });
  }
  return id;
}

function tokenHash(deps: Deps, token: string): Buffer {
  return deps.secrets.keyedHash(token, "impersonation");
}
