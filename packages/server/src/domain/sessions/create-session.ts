import { addSeconds } from "../../kernel/clock.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { newId, newSecret } from "../../kernel/identifiers.ts";
import type { Transaction } from "../../platform/database/types.ts";
import { type Deps, outsideTransaction } from "../deps.ts";
import { findTenantById } from "../tenants/index.ts";
import { deviceName } from "./device-name.ts";
import { insertSession, renewSessionRow, type Session } from "./session.store.ts";

/** How much of a User-Agent header is kept, in characters. */
const USER_AGENT_LENGTH = 512;

export interface NewSession {
  userId: string;
  /** How the person was authenticated: values of RFC 8176. */
  amr: readonly string[];
}

/**
 * Begins a session, now authenticated. Only a rule that has seen every required factor may call this
 * (`domain/sign-in`).
 *
 * @returns the session, and its cookie's value `<id>.<secret>`, of which only a keyed hash is stored.
 */
export async function createSession(
  deps: Deps,
  context: RequestContext,
  input: NewSession,
): Promise<{ session: Session; cookie: string }> {
  const { tenantId } = context;
  const now = deps.clock.now();
  const { idleSeconds, absoluteSeconds } = await sessionLifetimes(deps, tenantId);
  const secret = newSecret();
  const session: Session = {
    tenantId,
    id: newId(now),
    userId: input.userId,
    secretHash: hashSessionSecret(deps, secret),
    amr: input.amr,
    authenticatedAt: now,
    deviceName: deviceName(context.userAgent),
    ip: context.ip,
    userAgent: context.userAgent?.slice(0, USER_AGENT_LENGTH) ?? null,
    createdAt: now,
    lastSeenAt: now,
    expiresAt: addSeconds(now, Math.min(idleSeconds, absoluteSeconds)),
    revokedAt: null,
  };
  await insertSession(deps.database, session);
  return { session, cookie: `${session.id}.${secret}` };
}

/**
 * Keeps the session of a person who has proven again who he is, with a new secret: its tokens stay good, and whoever
 * knew the old cookie has nothing.
 *
 * @returns undefined unless the session is alive and this user's; then begin a new one.
 */
export async function renewSession(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  id: string,
  input: NewSession,
): Promise<{ session: { id: string }; cookie: string } | undefined> {
  const secret = newSecret();
  const fresh = {
    secretHash: hashSessionSecret(deps, secret),
    amr: input.amr,
    authenticatedAt: deps.clock.now(),
  };
  if (!(await renewSessionRow(tx, context.tenantId, id, input.userId, fresh))) return undefined;
  tx.notify([`session:${id}`]);
  return { session: { id }, cookie: `${id}.${secret}` };
}

export function hashSessionSecret(deps: Deps, secret: string): Buffer {
  return deps.secrets.keyedHash(secret, "session");
}

/** A tenant that was deleted meanwhile has no sessions: they end at once. */
export async function sessionLifetimes(
  deps: Deps,
  tenantId: string,
): Promise<{ idleSeconds: number; absoluteSeconds: number }> {
  const tenant = await findTenantById(outsideTransaction(deps), tenantId); // from the cache
  return tenant?.settings.sessions ?? { idleSeconds: 0, absoluteSeconds: 0 };
}
