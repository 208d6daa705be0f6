import { IdentityError } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import type { Transaction } from "../../platform/database/types.ts";
import { addressesOfUser, dropSent, noticeTo } from "../credentials/index.ts";
import { type Deps, within } from "../deps.ts";
import { notify } from "../notifications/index.ts";
import { findOwnAddress, setProvenAddress } from "../users/index.ts";
import { type Change, finishChange } from "./identifier-change.store.ts";

/**
 * Everything is confirmed: the account gets the address. Codes that are on their way to the old one are worth nothing,
 * and the old one is told.
 *
 * @throws IdentityError `identifier_change.not_found` (another request was quicker), `identifier_change.outdated`,
 *   `user.email_taken`, `user.phone_taken`, `user.identifier_required`
 */
export async function applyChange(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  change: Change,
): Promise<void> {
  const joined = within(deps, tx);
  const { tenantId } = context;
  const { userId, kind, oldValue, newValue, asksOld } = change;
  const { locale } = await addressesOfUser(joined, tenantId, userId);
  const present = await findOwnAddress(joined, tenantId, userId, kind, "for update");
  const mustAgree = kind !== "backup_email" && present.verified && present.value !== newValue;
  if (present.value !== oldValue || (mustAgree && !asksOld)) {
    throw new IdentityError("identifier_change.outdated");
  }
  if (!(await finishChange(tx, tenantId, change, deps.clock.now()))) {
    throw new IdentityError("identifier_change.not_found");
  }
  await setProvenAddress(joined, context, userId, kind, newValue);
  if (newValue === oldValue) return;
  const time = deps.clock.now();
  if (kind === "backup_email") {
    await dropSent(tx, tenantId, userId); // `setProvenAddress` does so for the others
    const template = newValue === null ? "factor-removed" : "factor-added";
    await noticeTo(joined, context, { id: tenantId }, userId, { template, values: { factor: kind, time } });
  } else if (present.verified && oldValue !== null) {
    await notify(
      joined,
      context,
      { id: tenantId },
      {
        template: "identifier-changed",
        channel: kind === "phone" ? "sms" : "email",
        to: oldValue,
        locale,
        values: { address: newValue ?? "–", time },
      },
    );
  }
}
