import { type Factor, IdentityError, type Tenant, type UserFactors } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import type { Transaction } from "../../platform/database/types.ts";
import { recordEvent } from "../audit/index.ts";
import { type Deps, within } from "../deps.ts";
import {
  type Account,
  deleteFactorRow,
  type FactorRow,
  lockFactors,
  renameFactorRow,
  selectAccount,
  selectFactors,
} from "./factor.store.ts";
import { factorRemoved } from "./factor-changes.ts";

/** What a user can prove himself with. Addresses are masked, and only verified ones count. */
export interface FactorsOfUser {
  password: boolean;
  /** How many. */
  totp: number;
  passkeys: number;
  recoveryCodes: number;
  email: string | null;
  phone: string | null;
  backupEmail: string | null;
}

const NONE: FactorsOfUser = {
  password: false,
  totp: 0,
  passkeys: 0,
  recoveryCodes: 0,
  email: null,
  phone: null,
  backupEmail: null,
};

/** Of a user who does not exist: none. */
export async function factorsOfUser(deps: Deps, tenantId: string, userId: string): Promise<FactorsOfUser> {
  return factorsOf(await selectAccount(deps.database, tenantId, userId));
}

/** What a sign-in asks about a person, as it is now. */
export interface SignInFacts {
  factors: FactorsOfUser;
  /** Before anything else. */
  mustChangePassword: boolean;
  /** Null: he has none. */
  passwordChangedAt: Date | null;
  /** He has chosen to be signed in once only. */
  wantsOneSession: boolean;
}

/** One statement, as every sign-in needs all of it. Of a user who does not exist: nothing. */
export async function signInFacts(deps: Deps, tenantId: string, userId: string): Promise<SignInFacts> {
  const account = await selectAccount(deps.database, tenantId, userId);
  const { mustChangePassword = false, passwordChangedAt = null, wantsOneSession = false } = account ?? {};
  return { factors: factorsOf(account), mustChangePassword, passwordChangedAt, wantsOneSession };
}

function factorsOf(account: Account | undefined): FactorsOfUser {
  if (!account) return NONE;
  const { email, phone, backupEmail } = provenAddresses(account);
  return {
    password: account.password,
    totp: account.totps,
    passkeys: account.passkeys,
    recoveryCodes: account.recoveryCodes,
    email: email && masked(email),
    phone: phone && masked(phone),
    backupEmail: backupEmail && masked(backupEmail),
  };
}

export interface Addresses {
  email: string | null;
  phone: string | null;
  backupEmail: string | null;
  /** What the person reads (BCP 47). */
  locale: string | null;
}

/** Where codes for a user may go: the addresses that he has proven. For `sendCode`; never shown. */
export async function addressesOfUser(deps: Deps, tenantId: string, userId: string): Promise<Addresses> {
  const account = await selectAccount(deps.database, tenantId, userId);
  if (!account) return { email: null, phone: null, backupEmail: null, locale: null };
  return { ...provenAddresses(account), locale: account.locale };
}

function provenAddresses(account: Account): Omit<Addresses, "locale"> {
  return {
    email: account.emailVerified ? account.email : null,
    phone: account.phoneVerified ? account.phone : null,
    backupEmail: account.backupEmail,
  };
}

/** `a***@example.com`, `***67`: so much that the owner knows which one it is. */
export function masked(address: string): string {
  const at = address.lastIndexOf("@");
  return at === -1 ? `***${address.slice(-2)}` : `${address.slice(0, 1)}***${address.slice(at)}`;
}

/** The same with each factor. The caller has asked who may see them. @throws IdentityError `user.not_found` */
export async function listAllFactors(deps: Deps, tenantId: string, userId: string): Promise<UserFactors> {
  if (!(await selectAccount(deps.database, tenantId, userId))) throw new IdentityError("user.not_found");
  const { password, email, phone, backupEmail, recoveryCodes } = await factorsOfUser(deps, tenantId, userId);
  const items = await listFactors(deps, tenantId, userId);
  return { items, password, email, phone, backupEmail, recoveryCodes };
}

/** The user's authenticator apps and passkeys, oldest first. The caller has asked who may see them. */
export async function listFactors(deps: Deps, tenantId: string, userId: string): Promise<Factor[]> {
  return (await selectFactors(deps.database, tenantId, userId)).map(toFactor);
}

/** @throws IdentityError `factor.not_found` */
export async function renameFactor(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  userId: string,
  { id, name }: { id: string; name: string },
): Promise<void> {
  const kind = await renameFactorRow(tx, context.tenantId, userId, id, name);
  if (!kind) throw new IdentityError("factor.not_found");
  const target = { type: "user", id: userId };
  await recordEvent(deps, tx, context, { type: "factor.updated", target, data: { id, kind, name } }, [
    `user:${userId}`,
  ]);
}

/**
 * Removes one factor and tells the person.
 *
 * @param options.isEnough - whether the user may be left with this.
 * @throws IdentityError `factor.not_found`, `factor.required`
 */
export async function removeFactor(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  tenant: Pick<Tenant, "id">,
  userId: string,
  id: string,
  options: { isEnough: (left: FactorsOfUser) => boolean },
): Promise<void> {
  await lockFactors(tx, tenant.id, userId); // two requests must not remove two last ones
  const gone = await deleteFactorRow(tx, tenant.id, userId, id);
  if (!gone) throw new IdentityError("factor.not_found");
  if (!options.isEnough(await factorsOfUser(within(deps, tx), tenant.id, userId))) {
    throw new IdentityError("factor.required");
  }
  await factorRemoved(deps, tx, context, tenant, userId, { id, ...gone });
}

function toFactor(row: FactorRow): Factor {
  const { id, kind, name, createdAt, lastUsedAt, backedUp } = row;
  return {
    id,
    kind,
    name,
    createdAt: createdAt.toISOString(),
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
    synchronized: kind === "passkey" ? (backedUp ?? false) : null,
  };
}
