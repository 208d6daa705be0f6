import type { Tenant } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import type { Transaction } from "../../platform/database/types.ts";
import { recordEvent } from "../audit/index.ts";
import { type Deps, within } from "../deps.ts";
import { type Notification, notify } from "../notifications/index.ts";
import { selectAccount } from "./factor.store.ts";
import { forgetRememberedDevices } from "./known-device.store.ts";

export interface NewFactor {
  id: string;
  kind: "totp" | "passkey";
  name: string;
}

/**
 * What follows a new factor: the fact, a notice to the person, and no device is remembered any more, so that whoever
 * was let in without a second factor before is asked for this one.
 */
export async function factorAdded(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  tenant: Pick<Tenant, "id">,
  userId: string,
  factor: NewFactor,
): Promise<NewFactor> {
  await forgetRememberedDevices(tx, tenant.id, userId);
  await tell(deps, tx, context, tenant, userId, "added", factor);
  return factor;
}

export function factorRemoved(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  tenant: Pick<Tenant, "id">,
  userId: string,
  factor: NewFactor,
): Promise<void> {
  return tell(deps, tx, context, tenant, userId, "removed", factor);
}

/** The audit log, the caches, and the person. */
async function tell(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  tenant: Pick<Tenant, "id">,
  userId: string,
  change: "added" | "removed",
  { id, kind, name }: NewFactor,
): Promise<void> {
  const target = { type: "user", id: userId };
  const event = { type: `factor.${change}` as const, target, data: { id, kind, name } };
  await recordEvent(deps, tx, context, event, [`user:${userId}`]);
  const values = { factor: kind, time: deps.clock.now() };
  await noticeTo(within(deps, tx), context, tenant, userId, { template: `factor-${change}`, values });
}

type Notice = {
  [N in Notification as N["template"]]: Pick<N, "template" | "values">;
}[Notification["template"]];

/**
 * Tells a person what happened to the account: by mail, else by text message, else (no address that is his) not at all.
 * The backup address is told too: whoever took the account over may hold the other one.
 */
export async function noticeTo(
  deps: Deps,
  context: RequestContext,
  tenant: Pick<Tenant, "id">,
  userId: string,
  notice: Notice,
): Promise<void> {
  const account = await selectAccount(deps.database, tenant.id, userId);
  if (!account) return;
  const { locale, backupEmail } = account;
  const email = account.emailVerified ? account.email : null;
  const mails = new Set([email, backupEmail].filter((address) => address !== null));
  for (const to of mails) {
    await notify(deps, context, tenant, { ...notice, channel: "email", to, locale } as Notification);
  }
  if (mails.size > 0 || account.phone === null || !account.phoneVerified) return;
  await notify(deps, context, tenant, {
    ...notice,
    channel: "sms",
    to: account.phone,
    locale,
  } as Notification);
}
