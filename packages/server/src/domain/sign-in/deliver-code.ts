import type { Tenant, User } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { addressesOfUser, type CodePurpose, masked, sendCode } from "../credentials/index.ts";
import type { Deps } from "../deps.ts";
import { findUser, findUserByIdentifier } from "../users/index.ts";
import type { Channel, Flow, Sent } from "./flow.ts";
import { SIGNED_UP } from "./person.ts";

/** To whom a code goes; to nobody with the same answer and work. */
export interface Addressee {
  userId: string | null;
  to: string | null;
  locale: string | null;
}

const NOBODY: Addressee = { userId: null, to: null, locale: null };

/** Nobody's: looked for where there is no user, so that the work is the same. */
const NO_ID = "0".repeat(24);

/** By which of the person's addresses. */
export type Way = "email" | "backup_email" | "sms";

export interface Delivery {
  purpose: CodePurpose;
  channel: Channel;
  addressee: Addressee;
  /** What limits count by: what was typed. Default: the user. */
  account?: string | undefined;
  /** Whether the person has shown who it is, so that the address may be shown. */
  isKnown: boolean;
  link?: ((secret: string) => string) | undefined;
}

/** @throws IdentityError `code.too_soon`, `code.too_many` */
export async function deliverCode(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  flow: Flow,
  { purpose, channel, addressee, account, isKnown, link }: Delivery,
): Promise<Sent> {
  const subject = subjectOf(flow);
  const request = { purpose, subject, account, channel, link, ...addressee };
  const { expiresAt, resendAt } = await sendCode(deps, context, tenant, request);
  return {
    channel,
    to: isKnown && addressee.to !== null ? masked(addressee.to) : null,
    expiresAt: expiresAt.toISOString(),
    resendAt: resendAt.toISOString(),
  };
}

/** What codes of a flow belong to: those that were sent before it began anew are not for whoever it is about now. */
export function subjectOf({ id, facts }: Flow): string {
  return facts.round === undefined ? id : `${id}.${facts.round}`;
}

/**
 * Whom an identifier means and where codes may go: to addresses that are proven to be his. To an unproven one would let
 * somebody in who has put it into another's account, or an account that waits for its victim.
 *
 * @param purpose - `recovery` may go to the address of an account that nobody was ever in (`isUnentered`).
 */
export async function findAddressee(
  deps: Deps,
  tenantId: string,
  identifier: string,
  way: Way,
  purpose: CodePurpose,
): Promise<Addressee> {
  const user = await findUserByIdentifier(deps, tenantId, identifier);
  const addresses = await addressesOfUser(deps, tenantId, user?.id ?? NO_ID);
  if (user?.status !== "active") return NOBODY;
  const { email, backupEmail, phone, locale } = addresses;
  const typed = purpose === "recovery" && isUnentered(user) ? user.email : null;
  const to = { email: email ?? typed, backup_email: backupEmail, sms: phone }[way];
  return to === null ? NOBODY : { userId: user.id, to, locale };
}

/**
 * An account that somebody has made himself and nobody was ever signed in to, as its address waits to be confirmed.
 * Nothing in it is anybody's yet but the password, which a recovery replaces: whoever reads the mail may have it. Else who
 * forgot the password at once, and whose address another has typed, would be locked out for ever.
 */
export function isUnentered(user: User): boolean {
  return user.registerSource === SIGNED_UP && user.loginsCount === 0 && !user.emailVerified;
}

/** The address that the person of a sign-up has given, to be confirmed. */
export async function findUnconfirmed(deps: Deps, tenantId: string, userId: string): Promise<Addressee> {
  const user = await findUser(deps, tenantId, userId);
  if (!user || user.email === null || user.emailVerified) return NOBODY;
  return { userId, to: user.email, locale: user.profile.locale ?? null };
}
