import { randomInt } from "node:crypto";
import { IdentityError, type Tenant } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import type { Transaction } from "../../platform/database/types.ts";
import { recordEvent } from "../audit/index.ts";
import { type Deps, within } from "../deps.ts";
import { lockFactors } from "./factor.store.ts";
import { noticeTo } from "./factor-changes.ts";
import { factorAccount, guessFactor } from "./guess-factor.ts";
import { consumeRecoveryCode, replaceRecoveryCodes } from "./recovery-code.store.ts";

const CODES = 10;
/** Without letters that are taken for others (Crockford's base32): ten of them have 50 bits. */
const LETTERS = "0123456789abcdefghjkmnpqrstvwxyz";
const LENGTH = 10;

/**
 * Ten codes, each good once in place of a second factor. Those from before are worth nothing. They are shown now and
 * never again: only keyed hashes are stored. Asks for no proof who the person is: that is the caller's.
 *
 * @throws IdentityError `user.not_found`
 */
export async function makeRecoveryCodes(
  deps: Deps,
  context: RequestContext,
  userId: string,
): Promise<string[]> {
  const { tenantId } = context;
  const codes = Array.from({ length: CODES }, newCode);
  await deps.database.transaction(async (tx) => {
    if (!(await lockFactors(tx, tenantId, userId))) throw new IdentityError("user.not_found");
    const hashes = codes.map((code) => hashCode(deps, tenantId, userId, code));
    await replaceRecoveryCodes(tx, tenantId, userId, hashes, deps.clock.now());
    const target = { type: "user", id: userId };
    await recordEvent(deps, tx, context, { type: "recovery_codes.created", target });
  });
  return codes;
}

/**
 * Uses up one of the user's recovery codes and tells him.
 *
 * @returns how many are left.
 * @throws IdentityError `code.rejected`, also for a user who has none; `credential.locked`, `credential.busy`
 */
export function checkRecoveryCode(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  tenant: Pick<Tenant, "id" | "settings">,
  userId: string,
  code: string,
): Promise<{ left: number }> {
  const guess = { account: factorAccount(userId), userId, method: "recovery-code" };
  return guessFactor(deps, context, tenant, guess, async () => {
    const now = deps.clock.now();
    const hash = hashCode(deps, tenant.id, userId, code);
    const left = await consumeRecoveryCode(tx, tenant.id, userId, hash, now);
    if (left === undefined) throw new IdentityError("code.rejected", { reason: "wrong or used" });
    const where = { ...context, tenantId: tenant.id };
    const target = { type: "user", id: userId };
    await recordEvent(deps, tx, where, { type: "recovery_code.used", target, data: { left } });
    const values = { left, time: now };
    await noticeTo(within(deps, tx), where, tenant, userId, { template: "recovery-used", values });
    return { left };
  });
}

/** `xxxxx-xxxxx` */
function newCode(): string {
  const letters = Array.from({ length: LENGTH }, () => LETTERS.charAt(randomInt(LETTERS.length))).join("");
  return `${letters.slice(0, LENGTH / 2)}-${letters.slice(LENGTH / 2)}`;
}

/** As typed: in any case, with or without the hyphen, O for 0 and I or L for 1. */
function hashCode(deps: Deps, tenantId: string, userId: string, typed: string): Buffer {
  const code = typed
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[\s-]/g, "")
    .replace(/o/g, "0")
    .replace(/[il]/g, "1");
  return deps.secrets.keyedHash(`${tenantId} ${userId} ${code}`, "recovery-code");
}
