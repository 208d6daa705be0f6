import { addSeconds } from "../../kernel/clock.ts";
import type { Transaction } from "../../platform/database/types.ts";
import { type Deps, within } from "../deps.ts";
import { sendLater } from "../outgoing/index.ts";
import type { RevokedSession } from "./session.store.ts";
import { findSessionApplications } from "./session-application.store.ts";

/** What the sender of kind `logout` (domain/tokens) is given. */
export interface Logout {
  applicationId: string;
  issuer: string;
  userId: string;
  sessionId: string;
}

const DAY = 86_400;

/**
 * Tells every application that knows these sessions that they ended (OpenID Connect Back-Channel Logout 1.0 §2.3), for
 * a day, whatever is killed: it is part of the transaction that ends them.
 */
export async function announceLogouts(
  deps: Deps,
  tx: Transaction,
  tenantId: string,
  revoked: readonly RevokedSession[],
): Promise<void> {
  if (revoked.length === 0) return;
  const userIds = new Map(revoked.map(({ id, userId }) => [id, userId]));
  const known = await findSessionApplications(tx, tenantId, [...userIds.keys()]);
  const expiresAt = addSeconds(deps.clock.now(), DAY);
  for (const { sessionId, applicationId, issuer } of known) {
    const payload = { applicationId, issuer, userId: userIds.get(sessionId) ?? "", sessionId };
    await sendLater(within(deps, tx), { kind: "logout" }, { tenantId, payload, expiresAt });
  }
}
