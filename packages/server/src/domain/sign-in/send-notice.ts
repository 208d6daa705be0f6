import { IdentityError } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { findPrincipal } from "../access/index.ts";
import { type Deps, outsideTransaction } from "../deps.ts";
import { type Notification, notify } from "../notifications/index.ts";
import { findTenantById } from "../tenants/index.ts";

type Notice = Extract<Notification, { template: "account-linked" | "identifier-changed" }>;

/**
 * Tells a user what happened to his account: at his confirmed e-mail address, else at his confirmed phone number, else
 * nowhere. Stored in the transaction of `joined`.
 *
 * @param to - where he was reached before, when that is what has changed.
 */
export async function sendNotice(
  joined: Deps,
  context: RequestContext,
  userId: string,
  notice: Pick<Notice, "template" | "values">,
  to?: { channel: "email" | "sms"; address: string },
): Promise<void> {
  const tenant = await findTenantById(outsideTransaction(joined), context.tenantId);
  const user = await findPrincipal(joined, context.tenantId, userId);
  if (!tenant || !user) throw new IdentityError("user.not_found");
  const reached =
    to ??
    (user.email && user.emailVerified
      ? { channel: "email" as const, address: user.email }
      : user.phone && user.phoneVerified
        ? { channel: "sms" as const, address: user.phone }
        : undefined);
  if (!reached) return;
  const { channel, address } = reached;
  const locale = user.profile.locale ?? null;
  await notify(joined, context, tenant, { ...notice, channel, to: address, locale } as Notice);
}
