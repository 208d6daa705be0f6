import { createPublicKey, generateKeyPairSync, randomBytes } from "node:crypto";
import type { Deps } from "../packages/server/src/domain/deps.ts";
import { newId } from "../packages/server/src/kernel/identifiers.ts";
import { PUBLIC_URL, type StrongUser } from "./load.ts";

export interface Person {
  tenantId: string;
  tenantSlug: string;
  applicationId: string;
  userId: string;
  username: string;
}

/** Base32 of twenty bytes (RFC 4648 §6), as authenticator apps have their keys. */
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/**
 * Gives people an authenticator app and a passkey. All passkeys have one key pair, with ids of their own; they are
 * synchronized ones, which have no counter.
 */
export async function makeStrongUsers(
  deps: Deps,
  people: readonly Person[],
): Promise<{ users: StrongUser[]; passkey: string }> {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { x = "", y = "" } = createPublicKey(privateKey).export({ format: "jwk" });
  // COSE (RFC 9053 §7.1.1) in CBOR: key type EC2, algorithm ES256, curve P-256, x, y.
  const publicKey = Buffer.concat([
    Buffer.from("a5010203262001215820", "hex"),
    Buffer.from(x, "base64url"),
    Buffer.from("225820", "hex"),
    Buffer.from(y, "base64url"),
  ]);
  const now = deps.clock.now();
  const users: StrongUser[] = [];
  for (const { tenantId, tenantSlug, applicationId, userId, username } of people) {
    const id = newId(now);
    const secret = Array.from(randomBytes(32), (byte) => LETTERS[byte % 32]).join("");
    const credentialId = randomBytes(32);
    const sealed = deps.secrets.seal(secret, `totp:${tenantId}:${id}`);
    await deps.database.query(
      `insert into totp_authenticators (tenant_id, id, user_id, name, sealed_secret, confirmed_at, created_at)
       values ($1, $2, $3, '', $4, $5, $5)`,
      [tenantId, id, userId, sealed, now],
    );
    await deps.database.query(
      `insert into passkeys (tenant_id, id, user_id, credential_id, public_key, counter, aaguid, rp_id, name, backed_up,
                             created_at)
       values ($1, $2, $3, $4, $5, 0, '00000000-0000-0000-0000-000000000000', $6, '', true, $7)`,
      [tenantId, newId(now), userId, credentialId, publicKey, new URL(PUBLIC_URL).hostname, now],
    );
    users.push({
      tenantSlug,
      applicationId,
      identifier: username,
      secret,
      credentialId: credentialId.toString("base64url"),
      userHandle: Buffer.from(tenantId + userId).toString("base64url"),
    });
  }
  return { users, passkey: privateKey.export({ format: "pem", type: "pkcs8" }).toString() };
}
