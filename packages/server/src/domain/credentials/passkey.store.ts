import type { Queryable, Transaction } from "../../platform/database/types.ts";
import { violatedConstraint } from "../../platform/database/unique-violation.ts";

export interface Passkey {
  id: string;
  userId: string;
  credentialId: Buffer;
  /** COSE (RFC 9052 §7). */
  publicKey: Buffer;
  counter: number;
  transports: string[];
  aaguid: string;
  rpId: string;
  name: string;
  backedUp: boolean;
}

const COLUMNS = `k.id, k.user_id as "userId", k.credential_id as "credentialId", k.public_key as "publicKey", k.counter,
  k.transports, k.aaguid, k.rp_id as "rpId", k.name, k.backed_up as "backedUp"`;

/** False when this credential is registered already, by whomever. */
export async function insertPasskey(
  tx: Transaction,
  tenantId: string,
  passkey: Passkey,
  now: Date,
): Promise<boolean> {
  try {
    await tx.query(
      `insert into passkeys (tenant_id, id, user_id, credential_id, public_key, counter, transports, aaguid, rp_id, name,
                             backed_up, created_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
      [
        tenantId,
        passkey.id,
        passkey.userId,
        passkey.credentialId,
        passkey.publicKey,
        passkey.counter,
        passkey.transports,
        passkey.aaguid,
        passkey.rpId,
        passkey.name,
        passkey.backedUp,
        now,
      ],
    );
    return true;
  } catch (error) {
    if (violatedConstraint(error) === "passkeys_credential") return false;
    throw error;
  }
}

export function selectPasskeys(database: Queryable, tenantId: string, userId: string): Promise<Passkey[]> {
  return database.query<Passkey>(
    `select ${COLUMNS} from passkeys k where k.tenant_id = $1 and k.user_id = $2 order by k.id`,
    [tenantId, userId],
  );
}

export async function selectPasskeyByCredential(
  database: Queryable,
  tenantId: string,
  credentialId: Buffer,
): Promise<(Passkey & { status: "active" | "suspended" | "deleted" }) | undefined> {
  const [row] = await database.query<Passkey & { status: "active" | "suspended" | "deleted" }>(
    `select ${COLUMNS}, u.status
       from passkeys k join users u on u.tenant_id = k.tenant_id and u.id = k.user_id
      where k.tenant_id = $1 and k.credential_id = $2`,
    [tenantId, credentialId],
  );
  return row;
}

/**
 * Notes a use. False when the counter has not grown since (WebAuthn §6.1.1): of two requests with one counter one wins.
 * Authenticators without a counter say 0 always.
 */
export async function countPasskeyUse(
  tx: Transaction,
  tenantId: string,
  id: string,
  use: { counter: number; backedUp: boolean; now: Date },
): Promise<boolean> {
  const rows = await tx.query(
    `update passkeys set counter = $3, backed_up = $4, last_used_at = $5
      where tenant_id = $1 and id = $2 and (counter < $3 or (counter = 0 and $3 = 0)) returning id`,
    [tenantId, id, use.counter, use.backedUp, use.now],
  );
  return rows.length === 1;
}
