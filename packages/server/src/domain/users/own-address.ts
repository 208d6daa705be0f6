import { type IdentifierKind, IdentityError } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { recordEvent } from "../audit/index.ts";
import type { Deps } from "../deps.ts";
import { normalizedPhone } from "../identifier.ts";
import { selectAddresses, writeBackupEmail } from "./own-address.store.ts";
import { writeUser } from "./update-user.ts";

/** An address of a user, as it is. */
export interface OwnAddress {
  value: string | null;
  verified: boolean;
  /** The same address as the present one, where only the writing differs; else without the marks people put in it. */
  normalize(typed: string | null): string | null;
}

/**
 * @param lock - `for update`: it stays like that until the end of the transaction.
 * @throws IdentityError `user.not_found`, `user.suspended`
 */
export async function findOwnAddress(
  joined: Deps,
  tenantId: string,
  userId: string,
  kind: IdentifierKind,
  lock?: "for update",
): Promise<OwnAddress> {
  const row = await selectAddresses(joined.database, tenantId, userId, lock !== undefined);
  if (!row) throw new IdentityError("user.not_found");
  if (row.status !== "active") throw new IdentityError("user.suspended");
  const [value, verified] = {
    email: [row.email, row.emailVerified] as const,
    phone: [row.phone, row.phoneVerified] as const,
    backup_email: [row.backupEmail, row.backupEmailVerified] as const,
  }[kind];
  const normalize = (typed: string | null) => {
    const text = (kind === "phone" && typed !== null ? normalizedPhone(typed) : typed)?.trim() || null;
    return text?.toLowerCase() === value?.toLowerCase() ? value : text;
  };
  return { value, verified: value !== null && verified, normalize };
}

/**
 * Gives a user an address that he has proven to read, or takes one away. Asks no permission: it is for the rule that
 * has seen the proof.
 *
 * @throws IdentityError `user.email_taken`, `user.phone_taken`, `user.identifier_required`, `user.not_found`
 */
export async function setProvenAddress(
  joined: Deps,
  context: RequestContext,
  userId: string,
  kind: IdentifierKind,
  value: string | null,
): Promise<void> {
  if (kind === "email") {
    await writeUser(joined, context, userId, { email: value, emailVerified: value !== null }, undefined);
  } else if (kind === "phone") {
    await writeUser(joined, context, userId, { phone: value, phoneVerified: value !== null }, undefined);
  } else {
    await joined.database.transaction(async (tx) => {
      await writeBackupEmail(tx, context.tenantId, userId, value, joined.clock.now());
      const target = { type: "user", id: userId };
      const data = { fields: ["backupEmail"] };
      await recordEvent(joined, tx, context, { type: "user.updated", target, data }, [`user:${userId}`]);
    });
  }
}
