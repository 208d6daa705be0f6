import { IdentityError, type Tenant } from "@ostiary/contracts";
import { after } from "../../kernel/after.ts";
import { addSeconds } from "../../kernel/clock.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { findPrincipal, type Principal } from "../access/index.ts";
import { type Application, mayUse } from "../applications/index.ts";
import type { Deps } from "../deps.ts";
import {
  acrOf,
  deriveSession,
  findSession,
  findSessionByCookie,
  isAtLeast,
  noteShortfall,
  policyOf,
  revokeSession,
  type Session,
  shortfallOf,
} from "../sessions/index.ts";
import { isTooOld, signOut } from "../sign-in/index.ts";
import { findTenantById } from "../tenants/index.ts";

/** A kind of tickets. Lifetimes only shorten those of the tenant's sessions. */
export interface TicketRules {
  /** The door they open, and no other. */
  slot: string;
  seconds: number;
  idleSeconds: number;
  /** Of one user at a time, the oldest ends; null: any number. */
  atMost: number | null;
}

/** Characters of an id; the secret follows after a hyphen. Nothing in a ticket needs encoding anywhere. */
const ID_LENGTH = 24;

/** Seconds. Asking keeps a ticket alive, but is not written down more often: bk-login does the same. */
const PRECISION = 600;

const FORM = /^[0-9a-f]{24}-[A-Za-z0-9_-]{43}$/;

/** A person who came with a ticket. */
export interface TicketHolder {
  session: Session;
  principal: Principal;
}

/**
 * A ticket for whoever is signed in by `parent`: a bearer secret that applications of the same domain pass on to ask
 * who it is. It ends when the sign-in ends, at the latest when that must: whoever acts as somebody for half an hour gets
 * a ticket for what is left of it.
 *
 * @param application - for which the sign-in was found good enough (`whatLacks`); null where nobody says. It will not be
 *   good for one that asks for more.
 */
export async function issueTicket(
  deps: Deps,
  context: RequestContext,
  parent: Session,
  { slot, seconds, idleSeconds, atMost }: TicketRules,
  application: Application | null = null,
): Promise<{ ticket: string; expiresAt: Date }> {
  const left =
    parent.absoluteSeconds === null
      ? Infinity
      : Math.floor(
          (addSeconds(parent.createdAt, parent.absoluteSeconds).getTime() - deps.clock.now().getTime()) /
            1_000,
        );
  const tenant = await findTenantById(deps, parent.tenantId);
  const principal = await findPrincipal(deps, parent.tenantId, parent.userId);
  if (!tenant || !principal) throw new IdentityError("user.not_found");
  const absoluteSeconds = Math.max(1, Math.min(seconds, left));
  const { session, cookie } = await deriveSession(deps, context, parent, {
    slot,
    absoluteSeconds,
    idleSeconds,
    entryPolicy: policyOf(tenant, application, principal.roles),
    ...(atMost === null ? {} : { limit: { atMost, whenFull: "end-oldest" as const } }),
  });
  return { ticket: cookie.replace(".", "-"), expiresAt: addSeconds(session.createdAt, absoluteSeconds) };
}

/**
 * Whose ticket it is, and nothing where it is no good. Asking keeps the ticket alive.
 *
 * @param text - the ticket, as it is or percent-encoded once: some clients do so with whatever a cookie holds.
 */
export function findTicketHolder(
  deps: Deps,
  tenantId: string,
  slot: string,
  text: string,
): TicketHolder | null | Promise<TicketHolder | null> {
  const ticket = text.includes("%") ? decoded(text) : text;
  if (!FORM.test(ticket)) return null;
  const cookie = `${ticket.slice(0, ID_LENGTH)}.${ticket.slice(ID_LENGTH + 1)}`;
  return after(findSessionByCookie(deps, tenantId, cookie, { slot, precision: PRECISION }), (session) => {
    if (!session) return null;
    return after(findPrincipal(deps, tenantId, session.userId), (principal) =>
      principal?.status === "active" ? { session, principal } : null,
    );
  });
}

/**
 * The person of a ticket, who must be allowed to use the application, by a sign-in that is good enough for it: all
 * applications of a domain see the ticket, so it may have been got where less is asked. Synchronous when all of it is in
 * the caches.
 *
 * @param application - null where nobody says who asks.
 * @throws IdentityError (also as a rejection) `token.invalid`, `application.access_denied`
 */
export function checkTicket(
  deps: Deps,
  tenantId: string,
  slot: string,
  text: string,
  application: Application | null,
): TicketHolder | Promise<TicketHolder> {
  return after(findTicketHolder(deps, tenantId, slot, text), (holder) => {
    if (!holder) throw new IdentityError("token.invalid", { reason: "the ticket is unknown or has ended" });
    const allowed = application === null || mayUse(deps, application, holder.principal.userId);
    return after(allowed, (mayEnter) => {
      if (!mayEnter) throw new IdentityError("application.access_denied");
      return after(findTenantById(deps, tenantId), (tenant) => {
        if (!tenant) throw new IdentityError("token.invalid", { reason: "the tenant is gone" });
        refuseTooLittle(deps, tenant, application, holder);
        return holder;
      });
    });
  });
}

/** @throws IdentityError `token.invalid` where the application asks for more than this sign-in has proven, or for a younger one */
function refuseTooLittle(
  deps: Deps,
  tenant: Tenant,
  application: Application | null,
  { session, principal }: TicketHolder,
): void {
  const shortfall = shortfallOf(tenant, application, principal.roles, session);
  if (shortfall) {
    noteShortfall(deps, session, shortfall);
    throw new IdentityError("token.invalid", { reason: shortfall.reason });
  }
  if (isTooOld(tenant, application, session, deps.clock.now())) {
    throw new IdentityError("token.invalid", { reason: "signed in too long ago" });
  }
}

/**
 * Whether a browser's ticket is as good as the sign-in that it shows, and good for the application. If it is not, as after
 * a further factor was given, the browser needs another one: or it would be sent back and forth for ever.
 */
export async function isTicketOf(
  deps: Deps,
  parent: Session,
  slot: string,
  text: string,
  application: Application | null,
): Promise<boolean> {
  const holder = await findTicketHolder(deps, parent.tenantId, slot, text);
  const tenant = await findTenantById(deps, parent.tenantId);
  if (!holder || !tenant || holder.session.parentId !== parent.id) return false;
  const { amr, authenticatedAt } = holder.session;
  if (authenticatedAt < parent.authenticatedAt || !isAtLeast(acrOf(amr), acrOf(parent.amr))) return false;
  if (shortfallOf(tenant, application, holder.principal.roles, holder.session)) return false;
  return !isTooOld(tenant, application, holder.session, deps.clock.now());
}

/** Signs out whoever holds the ticket: the sign-in it comes from ends, with all that came from it. */
export async function endTicket(
  deps: Deps,
  context: RequestContext,
  { session }: TicketHolder,
): Promise<void> {
  const who: RequestContext = { ...context, actor: { type: "user", id: session.userId } };
  const parent =
    session.parentId === null ? null : await findSession(deps, session.tenantId, session.parentId);
  if (parent) await signOut(deps, who, parent.id);
  else await revokeSession(deps, who, session.id, "signed out");
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
