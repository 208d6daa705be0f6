import type { SecondFactorPolicy } from "@ostiary/contracts";
import { addSeconds } from "../../kernel/clock.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { newId, newSecret } from "../../kernel/identifiers.ts";
import type { Transaction } from "../../platform/database/types.ts";
import { findApplication } from "../applications/index.ts";
import { type Deps, outsideTransaction } from "../deps.ts";
import { findTenantById } from "../tenants/index.ts";
import { deviceName } from "./device-name.ts";
import { renewSessionRow, type Session } from "./session.store.ts";
import { insertWithinLimits, type SessionLimit } from "./session-limits.ts";

/** How much of a User-Agent header is kept, in characters. */
const USER_AGENT_LENGTH = 512;

/** What a door asks of its sessions. Lifetimes only shorten the tenant's. */
export interface SessionPolicy {
  /** The door, at most 64 characters; default: a browser at our own pages. */
  slot?: string;
  idleSeconds?: number;
  absoluteSeconds?: number;
  /** Of where a ticket is given out for. */
  entryPolicy?: SecondFactorPolicy;
  /** Of one user in this slot. `refuse` throws `session.limit_reached`. */
  limit?: SessionLimit;
}

export interface NewSession {
  userId: string;
  /** How the person was authenticated: values of RFC 8176. */
  amr: readonly string[];
  applicationId?: string | null | undefined;
  policy?: SessionPolicy | undefined;
  /** Whether the user has chosen to be signed in once only; undefined: it is looked up. */
  wantsOneSession?: boolean | undefined;
}

/**
 * Begins a session, now authenticated. Only a rule that has seen every required factor may call this
 * (`domain/sign-in`).
 *
 * @returns the session, and its cookie's value `<id>.<secret>`, of which only a keyed hash is stored.
 * @throws IdentityError `session.limit_reached`
 */
export function createSession(
  deps: Deps,
  context: RequestContext,
  input: NewSession,
): Promise<{ session: Session; cookie: string }> {
  return begin(deps, context, input, {
    parentId: null,
    authenticatedAt: deps.clock.now(),
    impersonatorId: null,
    impersonationReason: null,
  });
}

/**
 * A further session of the same person for another door, such as a ticket that other applications can read: it proves
 * what `parent` proved, when that did, and ends when `parent` is ended.
 *
 * @param parent - alive.
 * @throws IdentityError `session.limit_reached`
 */
export function deriveSession(
  deps: Deps,
  context: RequestContext,
  parent: Session,
  policy: SessionPolicy & { slot: string },
): Promise<{ session: Session; cookie: string }> {
  const { id, userId, amr, applicationId, authenticatedAt, impersonatorId, impersonationReason } = parent;
  // What an administrator opens while he acts as somebody ends with that, not only with his own session.
  const parentId = impersonatorId === null ? (parent.parentId ?? id) : id;
  const origin = { parentId, authenticatedAt, impersonatorId, impersonationReason };
  return begin(deps, context, { userId, amr, applicationId, policy }, origin);
}

/**
 * The session of an administrator who acts as a user. It says how and when the administrator was authenticated, and
 * ends with his own session at the latest. Only `domain/sign-in` may call this: it asks whether he may.
 *
 * @param own - the administrator's session, alive.
 */
export function createImpersonatedSession(
  deps: Deps,
  context: RequestContext,
  own: Session,
  input: { userId: string; reason: string; seconds: number },
): Promise<{ session: Session; cookie: string }> {
  const { userId, reason, seconds } = input;
  const policy = { idleSeconds: seconds, absoluteSeconds: seconds };
  return begin(
    deps,
    context,
    { userId, amr: own.amr, policy },
    {
      parentId: own.id,
      authenticatedAt: own.authenticatedAt,
      impersonatorId: own.userId,
      impersonationReason: reason,
    },
  );
}

async function begin(
  deps: Deps,
  context: RequestContext,
  { userId, amr, applicationId, policy = {}, wantsOneSession }: NewSession,
  origin: Pick<Session, "parentId" | "authenticatedAt" | "impersonatorId" | "impersonationReason">,
): Promise<{ session: Session; cookie: string }> {
  const { tenantId } = context;
  const now = deps.clock.now();
  const own = await ownLifetimes(deps, tenantId, applicationId, policy);
  const { idleSeconds, absoluteSeconds } = shorter(await sessionLifetimes(deps, tenantId), own);
  const secret = newSecret();
  const session: Session = {
    ...origin,
    ...own,
    tenantId,
    id: newId(now),
    userId,
    secretHash: hashSessionSecret(deps, secret),
    applicationId: applicationId ?? null,
    slot: policy.slot ?? "",
    entryPolicy: policy.entryPolicy ?? null,
    amr,
    deviceName: deviceName(context.userAgent),
    ip: context.ip,
    userAgent: context.userAgent?.slice(0, USER_AGENT_LENGTH) ?? null,
    createdAt: now,
    lastSeenAt: now,
    expiresAt: addSeconds(now, Math.min(idleSeconds, absoluteSeconds)),
    revokedAt: null,
    tokenGeneration: 1,
  };
  await insertWithinLimits(deps, context, session, { door: policy.limit, wantsOneSession });
  return { session, cookie: `${session.id}.${secret}` };
}

/**
 * Keeps the session of a person who has proven again who he is, with a new secret: its tokens stay good, and whoever
 * knew the old cookie has nothing.
 *
 * @param options.keepsTime - he has proven more, but not once more what he had proven before.
 * @returns undefined unless the session is alive and this user's; then begin a new one.
 */
export async function renewSession(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  id: string,
  input: NewSession,
  { keepsTime = false }: { keepsTime?: boolean } = {},
): Promise<{ cookie: string } | undefined> {
  const secret = newSecret();
  const fresh = {
    secretHash: hashSessionSecret(deps, secret),
    amr: input.amr,
    authenticatedAt: deps.clock.now(),
    keepsTime,
  };
  if (!(await renewSessionRow(tx, context.tenantId, id, input.userId, fresh))) return undefined;
  tx.notify([`session:${id}`]);
  return { cookie: `${id}.${secret}` };
}

export function hashSessionSecret(deps: Deps, secret: string): Buffer {
  return deps.secrets.keyedHash(secret, "session");
}

/** What door and application ask for, the shorter of both; null: nothing. */
async function ownLifetimes(
  deps: Deps,
  tenantId: string,
  applicationId: string | null | undefined,
  { idleSeconds, absoluteSeconds }: SessionPolicy,
): Promise<Pick<Session, "idleSeconds" | "absoluteSeconds">> {
  const application = applicationId
    ? await findApplication(outsideTransaction(deps), tenantId, applicationId)
    : null;
  const { sessionIdleSeconds, sessionAbsoluteSeconds } = application?.settings ?? {};
  return {
    idleSeconds: least(idleSeconds, sessionIdleSeconds),
    absoluteSeconds: least(absoluteSeconds, sessionAbsoluteSeconds),
  };
}

function least(one: number | undefined, other: number | null | undefined): number | null {
  const shortest = Math.min(one ?? Infinity, other ?? Infinity);
  return shortest === Infinity ? null : shortest;
}

/** The shorter of a tenant's lifetimes and those of the session itself. */
export function shorter(tenant: Lifetimes, own: Pick<Session, "idleSeconds" | "absoluteSeconds">): Lifetimes {
  return {
    idleSeconds: Math.min(tenant.idleSeconds, own.idleSeconds ?? Infinity),
    absoluteSeconds: Math.min(tenant.absoluteSeconds, own.absoluteSeconds ?? Infinity),
  };
}

export interface Lifetimes {
  idleSeconds: number;
  absoluteSeconds: number;
}

/** A tenant that was deleted meanwhile has no sessions: they end at once. */
export async function sessionLifetimes(deps: Deps, tenantId: string): Promise<Lifetimes> {
  const tenant = await findTenantById(outsideTransaction(deps), tenantId); // from the cache
  return tenant?.settings.sessions ?? { idleSeconds: 0, absoluteSeconds: 0 };
}
