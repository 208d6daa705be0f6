import { IdentityError, type Tenant } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { recordRefusal } from "../audit/index.ts";
import { type Deps, outsideTransaction } from "../deps.ts";
import { underLockout } from "./attempts.ts";
import { noteLock } from "./note-lock.ts";

/** Whose factor is tried. */
export interface Guess {
  /** What wrong ones are counted by: the same for a user and for nobody, e.g. `factor:<user id>`. */
  account: string;
  userId: string | null;
  /** For the audit log: `totp`, `recovery-code`, `email`, … */
  method: string;
}

/**
 * Runs the check of a factor that can be guessed under the lock-out, and records failures. What is counted and recorded
 * stays when the caller's transaction is rolled back, as it will be.
 *
 * @throws IdentityError `credential.locked`, `credential.busy`, and what `check` throws
 */
export async function guessFactor<T>(
  deps: Deps,
  context: RequestContext,
  tenant: Pick<Tenant, "id" | "settings">,
  { account, userId, method }: Guess,
  check: () => Promise<T>,
): Promise<T> {
  const outside = outsideTransaction(deps);
  const where = { ...context, tenantId: tenant.id };
  const target = userId === null ? {} : { target: { type: "user", id: userId } };
  const onLocked = (seconds: number) =>
    noteLock(outside, where, tenant, userId ?? undefined, { seconds, method });
  try {
    return await underLockout(outside, context, tenant, account, check, onLocked);
  } catch (error) {
    if (error instanceof IdentityError && error.status === 401) {
      const reason = error.reason ?? error.code;
      await recordRefusal(outside, where, { type: "factor.refused", ...target, reason, data: { method } });
    }
    throw error;
  }
}

/** Wrong codes of all of a user's second factors are counted together: each kind must not give a guesser more. */
export function factorAccount(userId: string): string {
  return `factor:${userId}`;
}
