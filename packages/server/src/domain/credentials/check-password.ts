import { IdentityError, type Tenant } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { recordEvent, recordRefusal } from "../audit/index.ts";
import type { Deps } from "../deps.ts";
import { normalizedIdentifier } from "../identifier.ts";
import { passwordAccount, underLockout } from "./attempts.ts";
import { decoyHash } from "./decoys.ts";
import { noteLock } from "./note-lock.ts";
import { replaceHash, type SignInRow, selectForSignIn } from "./password.store.ts";

/**
 * The one place where a password is verified at a sign-in. An identifier that is nobody's and a wrong password have
 * the same answer after the same work and the same statements, and are counted alike: by the person, whichever of his
 * names was typed, or by the name that is nobody's. Attempts at a locked account are refused before they are looked at
 * and leave no entry in the audit log, which they could otherwise fill; `user.locked` says when it began.
 *
 * @param identifier - username, e-mail address or phone number, in any case.
 * @throws IdentityError `credential.rejected`, `credential.locked`, `credential.busy`; `user.suspended` only after the
 *   right password
 */
export async function checkPassword(
  deps: Deps,
  context: RequestContext,
  tenant: Pick<Tenant, "id" | "settings">,
  identifier: string,
  password: string,
): Promise<{ userId: string }> {
  const where = { ...context, tenantId: tenant.id };
  const find = async () => {
    const wanted = normalizedIdentifier(identifier);
    return wanted === null ? undefined : selectForSignIn(deps.database, tenant.id, wanted);
  };
  const found = await find();
  const verify = async (waited: boolean) => {
    const row = waited ? await find() : found;
    // The name became another's meanwhile: what was counted was not his.
    const isSame = row?.userId === found?.userId;
    return verifyRow(deps, where, isSame ? row : undefined, identifier, password);
  };
  const account = passwordAccount(found?.userId, identifier);
  const onLocked = (seconds: number) =>
    noteLock(deps, where, tenant, found?.userId, { seconds, method: "password" });
  try {
    return await underLockout(deps, context, tenant, account, verify, onLocked);
  } catch (error) {
    if (error instanceof IdentityError && LOGGED.has(error.code)) {
      const reason = error.reason ?? error.code;
      const target = found ? { target: { type: "user", id: found.userId } } : {};
      await recordRefusal(deps, where, { type: "user.login_refused", ...target, reason });
    }
    throw error;
  }
}

const LOGGED: ReadonlySet<string> = new Set(["credential.rejected", "user.suspended"]);

async function verifyRow(
  deps: Deps,
  context: RequestContext,
  user: SignInRow | undefined,
  identifier: string,
  password: string,
): Promise<{ userId: string }> {
  if (!user?.hash) {
    const decoy = user ? null : await decoyHash(deps, context.tenantId, identifier);
    await (decoy === null ? deps.hasher.verifyNothing(password) : deps.hasher.verify(decoy, password));
    throw new IdentityError("credential.rejected", { reason: user ? "no password" : "unknown identifier" });
  }
  const { ok, upgrade } = await deps.hasher.verify(user.hash, password);
  if (!ok) throw new IdentityError("credential.rejected", { reason: "wrong password" });
  if (user.status !== "active") throw new IdentityError("user.suspended", { reason: "suspended" });
  if (upgrade) await upgradeHash(deps, context, user.userId, user.hash, password);
  return { userId: user.userId };
}

/** A sign-in must not fail because the better hash could not be made now: the next one makes it. */
async function upgradeHash(
  deps: Deps,
  context: RequestContext,
  userId: string,
  before: string,
  password: string,
): Promise<void> {
  const after = await deps.hasher.hash(password).catch((error: unknown) => {
    if (error instanceof IdentityError) return undefined;
    throw error;
  });
  if (after === undefined) return;
  await deps.database.transaction(async (tx) => {
    if (!(await replaceHash(tx, context.tenantId, userId, before, after))) return;
    await recordEvent(deps, tx, context, { type: "password.upgraded", target: { type: "user", id: userId } });
  });
}
