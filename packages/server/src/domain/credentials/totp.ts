import { type BegunTotp, IdentityError, type Tenant } from "@ostiary/contracts";
import { generateSecret, generateURI, verifySync } from "otplib";
import { addSeconds, numericDate } from "../../kernel/clock.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { newId } from "../../kernel/identifiers.ts";
import { qrCode } from "../../kernel/qr-code.ts";
import type { Transaction } from "../../platform/database/types.ts";
import type { Deps } from "../deps.ts";
import { lockFactors, selectAccount } from "./factor.store.ts";
import { factorAdded, type NewFactor } from "./factor-changes.ts";
import { factorAccount, guessFactor } from "./guess-factor.ts";
import { normalizedCode } from "./one-time-codes.ts";
import {
  confirmTotpRow,
  consumeStep,
  putBegunTotp,
  selectBegunTotp,
  selectTotps,
  type TotpAuthenticator,
} from "./totp.store.ts";

/** The time step of RFC 6238 §4.1, in seconds; every authenticator app knows this one, SHA-1 and six digits. */
const STEP_SECONDS = 30;
/** One that was begun must be confirmed within an hour. */
const BEGUN_SECONDS = 3_600;
/** Of one user. */
const MAXIMUM = 5;

/**
 * Makes a key for an authenticator app. It is a factor only after `confirmTotp`. Asks for no proof who the person is:
 * that is the caller's.
 *
 * @throws IdentityError `user.not_found`, `factor.too_many`
 */
export async function beginTotp(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  userId: string,
  { name = "" }: { name?: string | undefined } = {},
): Promise<BegunTotp> {
  const { id: tenantId } = tenant;
  const account = await selectAccount(deps.database, tenantId, userId);
  if (!account) throw new IdentityError("user.not_found");
  if (account.totps >= MAXIMUM) throw new IdentityError("factor.too_many");
  const id = newId(deps.clock.now());
  const secret = generateSecret({ length: 20 });
  const sealedSecret = deps.secrets.seal(secret, sealedFor(tenantId, id));
  await deps.database.transaction((tx) =>
    putBegunTotp(tx, context.tenantId, { id, userId, name, sealedSecret }, deps.clock.now()),
  );
  // A colon would end the issuer inside the label.
  const issuer = (tenant.settings.branding.displayName ?? tenant.name).replaceAll(":", " ");
  const uri = generateURI({ issuer, label: account.label.replaceAll(":", " "), secret });
  return { id, secret, uri, qr: qrCode(uri) };
}

/**
 * The first code of an app that was begun makes it a factor.
 *
 * @throws IdentityError `factor.not_found` (not begun by this user, or more than an hour ago), `code.rejected`,
 *   `credential.locked`, `factor.too_many`
 */
export async function confirmTotp(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  tenant: Tenant,
  userId: string,
  { id, code }: { id: string; code: string },
): Promise<NewFactor> {
  const now = deps.clock.now();
  const since = addSeconds(now, -BEGUN_SECONDS);
  await lockFactors(tx, tenant.id, userId);
  const totp = await selectBegunTotp(tx, tenant.id, userId, id, since);
  if (!totp) throw new IdentityError("factor.not_found");
  if ((await selectTotps(tx, tenant.id, userId)).length >= MAXIMUM)
    throw new IdentityError("factor.too_many");
  const guess = { account: factorAccount(userId), userId, method: "totp" };
  await guessFactor(deps, context, tenant, guess, async () => {
    const step = stepOf(deps, tenant.id, totp, code);
    if (step === undefined || !(await confirmTotpRow(tx, tenant.id, userId, id, step, now))) {
      throw new IdentityError("code.rejected", { reason: "wrong code" });
    }
  });
  return factorAdded(deps, tx, context, tenant, userId, { id, kind: "totp", name: totp.name });
}

/**
 * A code of one of the user's authenticator apps; the step before and after now are taken too (RFC 6238 §5.2). Each
 * step is good once.
 *
 * @returns the id of the authenticator.
 * @throws IdentityError `code.rejected`, also for a user who has none; `credential.locked`, `credential.busy`
 */
export function checkTotp(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  tenant: Pick<Tenant, "id" | "settings">,
  userId: string,
  code: string,
): Promise<{ id: string }> {
  const guess = { account: factorAccount(userId), userId, method: "totp" };
  return guessFactor(deps, context, tenant, guess, async () => {
    let reason = "wrong code";
    for (const totp of await selectTotps(tx, tenant.id, userId)) {
      const step = stepOf(deps, tenant.id, totp, code);
      if (step === undefined) continue;
      if (await consumeStep(tx, tenant.id, totp.id, step, deps.clock.now())) return { id: totp.id };
      reason = "code used before";
    }
    throw new IdentityError("code.rejected", { reason });
  });
}

/** The step that the code belongs to, if it is one of those that count now. */
function stepOf(
  deps: Deps,
  tenantId: string,
  totp: Pick<TotpAuthenticator, "id" | "sealedSecret">,
  typed: string,
): number | undefined {
  const token = normalizedCode(typed);
  if (!/^\d{6}$/.test(token)) return undefined;
  const secret = deps.secrets.unseal(totp.sealedSecret, sealedFor(tenantId, totp.id));
  // Not `afterTimeStep`: it throws after the clock was set back, and the conditional update decides anyway.
  const epoch = numericDate(deps.clock.now());
  const result = verifySync({ secret, token, epoch, epochTolerance: STEP_SECONDS });
  return result.valid && "timeStep" in result ? result.timeStep : undefined;
}

function sealedFor(tenantId: string, id: string): string {
  return `totp:${tenantId}:${id}`;
}
