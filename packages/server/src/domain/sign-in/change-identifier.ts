import {
  type IdentifierChange,
  IdentityError,
  type StartIdentifierChange,
  type Tenant,
} from "@ostiary/contracts";
import { addSeconds } from "../../kernel/clock.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { newId } from "../../kernel/identifiers.ts";
import type { Transaction } from "../../platform/database/types.ts";
import { checkNotImpersonated } from "../access/index.ts";
import { addressesOfUser, type CodePurpose, checkCode, masked, sendCode } from "../credentials/index.ts";
import { type Deps, within } from "../deps.ts";
import { checkRecentAuthentication } from "../sessions/index.ts";
import { findOwnAddress } from "../users/index.ts";
import { type AccountState, accountState, accountStepsOf, checkAccountStep } from "./account-steps.ts";
import { applyChange } from "./apply-identifier-change.ts";
import {
  type Change,
  confirmChange,
  deleteChange,
  insertChange,
  selectOpenChange,
  selectOpenChanges,
} from "./identifier-change.store.ts";

/** To read two mailboxes. */
const CHANGE_SECONDS = 3_600;

/**
 * The signed-in person begins to change, confirm or remove an address of his own. An address that was confirmed must
 * agree with a code that is sent there, and so must the new one. Whether the new one is another account's is not said
 * before the person has proven to read it.
 *
 * @param input.value - the present address, to confirm it; null, to remove it.
 * @throws IdentityError `authentication.stale`, `impersonation.not_allowed`, `identifier_change.nothing`,
 *   `user.identifier_required`, `code.too_many`
 */
export async function startIdentifierChange(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  { kind, value }: StartIdentifierChange,
): Promise<IdentifierChange> {
  const { userId } = await checkRecentAuthentication(deps, context);
  const now = deps.clock.now();
  const change = await deps.database.transaction(async (tx) => {
    const present = await findOwnAddress(within(deps, tx), tenant.id, userId, kind);
    const newValue = present.normalize(value);
    if (newValue === present.value && (newValue === null || present.verified)) {
      throw new IdentityError("identifier_change.nothing");
    }
    const begun: Change = {
      id: newId(now),
      userId,
      kind,
      oldValue: present.value,
      newValue,
      // A backup address is where things go when the others are lost: it need not be there to be replaced.
      asksOld: kind !== "backup_email" && present.verified && newValue !== present.value,
      oldConfirmedAt: null,
      newConfirmedAt: null,
      expiresAt: addSeconds(now, CHANGE_SECONDS),
    };
    await insertChange(tx, tenant.id, begun, now);
    if (accountState(begun) === "applied") await applyChange(deps, tx, context, begun);
    return begun;
  });
  return viewAfterSending(deps, context, tenant, change);
}

/** One's own changes that wait for a code. */
export async function listIdentifierChanges(
  deps: Deps,
  context: RequestContext,
): Promise<IdentifierChange[]> {
  const userId = personOf(context);
  const open = await selectOpenChanges(deps.database, context.tenantId, userId, deps.clock.now());
  return open.map((change) => toView(change, null));
}

/** @throws IdentityError `identifier_change.not_found`: also expired, applied, or somebody else's */
export async function findIdentifierChange(
  deps: Deps,
  context: RequestContext,
  id: string,
): Promise<IdentifierChange> {
  return toView(await openChange(deps, context, id), null);
}

/** Sends the code that the change waits for, once more. @throws also `code.too_soon`, `code.too_many` */
export async function sendChangeCode(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  id: string,
): Promise<IdentifierChange> {
  checkNotImpersonated(context);
  const change = await openChange(deps, context, id);
  checkAccountStep(accountState(change), "send-code");
  return toView(change, await send(deps, context, tenant, change));
}

/**
 * The code that was sent. The last one that is needed changes the address, in the same transaction.
 *
 * @throws IdentityError `identifier_change.not_found`, `code.rejected`, `code.used_up`, `credential.locked`,
 *   `identifier_change.outdated` (the address was changed meanwhile), `user.email_taken`, `user.phone_taken`
 */
export async function giveChangeCode(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  id: string,
  code: string,
): Promise<IdentifierChange> {
  checkNotImpersonated(context);
  const change = await openChange(deps, context, id);
  const state = accountState(change);
  checkAccountStep(state, "give-code");
  const next = await deps.database.transaction(async (tx) => {
    const purpose = purposeOf(change, state);
    const proven = await checkCode(deps, tx, context, { purpose, subject: id, code });
    const address = state === "confirm-old" ? change.oldValue : change.newValue;
    if (proven.userId !== change.userId || proven.target !== address) {
      throw new IdentityError("code.rejected", { reason: "sent to another address" });
    }
    return confirmed(deps, tx, context, change, state);
  });
  return viewAfterSending(deps, context, tenant, next);
}

async function confirmed(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  change: Change,
  state: AccountState,
): Promise<Change> {
  const which = state === "confirm-old" ? "old" : "new";
  const next = await confirmChange(tx, context.tenantId, change, which, deps.clock.now());
  if (!next) throw new IdentityError("identifier_change.not_found");
  const to = accountState(next);
  checkAccountStep(state, "give-code", to);
  if (to === "applied") await applyChange(deps, tx, context, next);
  return next;
}

/** @throws IdentityError `identifier_change.not_found`, `impersonation.not_allowed` */
export async function cancelIdentifierChange(deps: Deps, context: RequestContext, id: string): Promise<void> {
  checkNotImpersonated(context);
  const gone = await deleteChange(deps.database, context.tenantId, personOf(context), id);
  if (!gone) throw new IdentityError("identifier_change.not_found");
}

async function openChange(deps: Deps, context: RequestContext, id: string): Promise<Change> {
  const userId = personOf(context);
  const change = await selectOpenChange(deps.database, context.tenantId, userId, id, deps.clock.now());
  if (!change) throw new IdentityError("identifier_change.not_found");
  return change;
}

function personOf({ actor }: RequestContext): string {
  if (actor.type !== "user" || actor.id === null) throw new IdentityError("authentication.required");
  return actor.id;
}

function purposeOf({ kind, oldValue, newValue }: Change, state: AccountState): CodePurpose {
  if (kind === "backup_email") return "backup-email";
  if (state === "confirm-old") return kind === "email" ? "change-email-old" : "change-phone-old";
  if (oldValue === newValue) return kind === "email" ? "verify-email" : "verify-phone";
  return kind === "email" ? "change-email-new" : "change-phone-new";
}

async function send(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  change: Change,
): Promise<IdentifierChange["sent"]> {
  const { id, userId, kind, oldValue, newValue } = change;
  const state = accountState(change);
  const to = state === "confirm-old" ? oldValue : newValue;
  if (state === "applied" || to === null) return null;
  const channel = kind === "phone" ? "sms" : "email";
  const { locale } = await addressesOfUser(deps, tenant.id, userId);
  const { expiresAt, resendAt } = await sendCode(deps, context, tenant, {
    purpose: purposeOf(change, state),
    subject: id,
    userId,
    channel,
    to,
    locale,
    values: { address: newValue === null ? "–" : masked(newValue) },
  });
  const times = { expiresAt: expiresAt.toISOString(), resendAt: resendAt.toISOString() };
  return { channel, to: masked(to), ...times };
}

/** The change is made already: when no code may be sent now the person asks for it later. */
async function viewAfterSending(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  change: Change,
): Promise<IdentifierChange> {
  try {
    return toView(change, await send(deps, context, tenant, change));
  } catch (error) {
    if (error instanceof IdentityError && error.code === "code.too_many") return toView(change, null);
    throw error;
  }
}

function toView(change: Change, sent: IdentifierChange["sent"]): IdentifierChange {
  const { id, kind, newValue, expiresAt } = change;
  const state = accountState(change);
  return {
    id,
    kind,
    value: newValue,
    state,
    steps: accountStepsOf(state),
    sent,
    expiresAt: expiresAt.toISOString(),
  };
}
