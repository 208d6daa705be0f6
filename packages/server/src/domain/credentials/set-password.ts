import { IdentityError, type PasswordInput } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { checkMayControl, checkNotImpersonated, checkPermissionIn } from "../access/index.ts";
import { recordEvent } from "../audit/index.ts";
import { type Deps, within } from "../deps.ts";
import { revokeSessionsOfUser } from "../sessions/index.ts";
import { findTenantById } from "../tenants/index.ts";
import { passwordAccount, underLockout } from "./attempts.ts";
import { noticeTo } from "./factor-changes.ts";
import { forgetRememberedDevices } from "./known-device.store.ts";
import { noteLock } from "./note-lock.ts";
import { dropRecoveries } from "./one-time-code.store.ts";
import { deletePassword, type PasswordRow, selectPassword, writePassword } from "./password.store.ts";
import { checkPasswordPolicy } from "./password-policy.ts";

/**
 * Gives a user a password, or a hash that comes from elsewhere. Ends his sessions: whoever knew the old password
 * may have opened them.
 *
 * @param options.mustChange - the user must choose another one at the next sign-in.
 * @throws IdentityError `permission.denied`, `permission.escalation`, `user.not_found`, `password.*`,
 *   `credential.unsupported_hash`, `credential.busy`
 */
export async function setPassword(
  deps: Deps,
  context: RequestContext,
  userId: string,
  input: PasswordInput,
  options: { mustChange?: boolean } = {},
): Promise<void> {
  await checkPermissionIn(deps, context, "user:write", { userId });
  const user = await selectPassword(deps.database, context.tenantId, userId);
  if (!user) throw new IdentityError("user.not_found");
  await checkMayControl(deps, context, userId);
  const hash =
    "hash" in input
      ? await deps.hasher.adopt(input.hash)
      : await newHash(deps, context.tenantId, user, input.plain);
  const imported = "hash" in input ? importedMark(deps, input.hash) : null;
  // A first password is no news to who gets it, and what another system has changed it tells itself.
  const isNews = user.hash !== null && imported === null;
  await write(deps, context, userId, hash, { mustChange: options.mustChange ?? false, imported, isNews });
}

/**
 * A user changes his own password. Ends his other sessions.
 *
 * @param options.keepSessionId - the session in which he does it.
 * @throws IdentityError `credential.rejected` when `current` is wrong, `credential.locked`, `password.*`,
 *   `user.not_found`, `credential.busy`
 */
export async function changePassword(
  deps: Deps,
  context: RequestContext,
  userId: string,
  current: string,
  next: string,
  options: { keepSessionId?: string | undefined } = {},
): Promise<void> {
  checkNotImpersonated(context);
  const tenant = await findTenantById(deps, context.tenantId);
  const user = await selectPassword(deps.database, context.tenantId, userId);
  if (!tenant || !user) throw new IdentityError("user.not_found");
  if (user.status !== "active") throw new IdentityError("user.suspended");
  const verify = async () => {
    if (user.hash && (await deps.hasher.verify(user.hash, current)).ok) return;
    if (!user.hash) await deps.hasher.verifyNothing(current);
    throw new IdentityError("credential.rejected", { reason: "wrong current password" });
  };
  const onLocked = (seconds: number) =>
    noteLock(deps, context, tenant, userId, { seconds, method: "password" });
  await underLockout(deps, context, tenant, passwordAccount(userId), verify, onLocked);
  const hash = await newHash(deps, context.tenantId, user, next);
  await write(deps, context, userId, hash, { mustChange: false, imported: null, isNews: true, ...options });
}

/**
 * A user whose password must be changed chooses the next one. Asks for no proof: it is for the sign-in, which has just
 * seen the right password. Ends his sessions.
 *
 * @param options.keepSessionId - the session in which he does it, if there is one already.
 * @throws IdentityError `password.reused` (the old one again), `password.*`, `user.not_found`, `user.suspended`,
 *   `credential.busy`
 */
export async function replacePassword(
  deps: Deps,
  context: RequestContext,
  userId: string,
  next: string,
  options: { keepSessionId?: string | undefined } = {},
): Promise<void> {
  const user = await selectPassword(deps.database, context.tenantId, userId);
  if (!user) throw new IdentityError("user.not_found");
  if (user.status !== "active") throw new IdentityError("user.suspended");
  const isOld = user.hash !== null && (await deps.hasher.verify(user.hash, next)).ok;
  if (isOld) throw new IdentityError("password.reused");
  const hash = await newHash(deps, context.tenantId, user, next);
  await write(deps, context, userId, hash, { mustChange: false, imported: null, isNews: true, ...options });
}

/** By which a hash that was imported is known again, after it was wrapped or upgraded. Tells nothing about it. */
export function importedMark(deps: Deps, hash: string): Buffer {
  return deps.secrets.keyedHash(hash, "imported-password");
}

/** Whether the user can sign in by password. */
export async function hasPassword(deps: Deps, tenantId: string, userId: string): Promise<boolean> {
  return Boolean((await selectPassword(deps.database, tenantId, userId))?.hash);
}

/** Whether the user must choose another password before anything else, and since when he has the one he has. */
export async function passwordState(
  deps: Deps,
  tenantId: string,
  userId: string,
): Promise<{ mustChange: boolean; changedAt: Date | null }> {
  const { mustChange = false, changedAt = null } =
    (await selectPassword(deps.database, tenantId, userId)) ?? {};
  return { mustChange, changedAt };
}

/** Of a user who is being deleted; the rules have been asked already. */
export const dropPassword = deletePassword;

/** @throws IdentityError with the first rule that the password breaks; `fields` names all of them. */
async function newHash(deps: Deps, tenantId: string, user: PasswordRow, password: string): Promise<string> {
  const tenant = await findTenantById(deps, tenantId);
  if (!tenant) throw new IdentityError("tenant.not_found");
  const { minLength, maxLength, historyLength, checkBreached } = tenant.settings.passwordPolicy;
  const remembered = [user.hash, ...user.history].filter((hash) => hash !== null).slice(0, historyLength);
  const violations = await checkPasswordPolicy(
    { minimumLength: minLength, maximumLength: maxLength },
    password,
    {
      identifiers: user.identifiers,
      secure: user.secure,
      isReused: async (candidate) => {
        for (const hash of remembered) if ((await deps.hasher.verify(hash, candidate)).ok) return true;
        return false;
      },
      ...(checkBreached && deps.breachedPasswords ? { breached: deps.breachedPasswords } : {}),
    },
  );
  const [first] = violations;
  if (first) throw new IdentityError(first);
  return deps.hasher.hash(password);
}

async function write(
  deps: Deps,
  context: RequestContext,
  userId: string,
  hash: string,
  options: {
    mustChange: boolean;
    imported: Buffer | null;
    /** The person is told. */
    isNews: boolean;
    keepSessionId?: string | undefined;
  },
): Promise<void> {
  const { tenantId } = context;
  const tenant = await findTenantById(deps, tenantId);
  const historyLength = tenant?.settings.passwordPolicy.historyLength ?? 0;
  const now = deps.clock.now();
  await deps.database.transaction(async (tx) => {
    const { mustChange, imported } = options;
    await writePassword(tx, tenantId, userId, { hash, imported, mustChange, historyLength }, now);
    await recordEvent(deps, tx, context, { type: "password.changed", target: { type: "user", id: userId } }, [
      `user:${userId}`,
    ]);
    await forgetRememberedDevices(tx, tenantId, userId);
    await dropRecoveries(tx, tenantId, userId);
    await revokeSessionsOfUser(within(deps, tx), context, userId, {
      exceptSessionId: options.keepSessionId,
      reason: "password changed",
    });
    if (!options.isNews) return;
    const notice = { template: "password-changed" as const, values: { time: now } };
    await noticeTo(within(deps, tx), context, { id: tenantId }, userId, notice);
  });
}
