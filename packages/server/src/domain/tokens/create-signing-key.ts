import { generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import type { SigningAlgorithm } from "@ostiary/contracts";
import { newId } from "../../kernel/identifiers.ts";
import type { Deps } from "../deps.ts";
import type { KeyKind } from "./rotating-keys.ts";
import {
  activateKey,
  deleteKey,
  insertSigningKey,
  retireKey,
  type SigningKeyRow,
  selectKeysThatMayBeDue,
  selectSigningKeys,
} from "./signing-key.store.ts";

const DAY = 86_400;

/** Seconds a retired key still verifies: the longest token lifetime that settings allow (a day), and an hour. */
const RETIRING_SECONDS = DAY + 3_600;

/** The keys of OAuth and OpenID Connect. One line for each algorithm. */
export const SIGNING_KEYS: KeyKind<SigningKeyRow> = {
  lineOf: (key) => key.algorithm,
  rotationDays: (_key, tenant) => tenant.settings.tokens.keyRotationDays,
  retiringSeconds: () => RETIRING_SECONDS,
  successorOf: (deps, key, activatesAt) =>
    generateSigningKey(deps, key.tenantId, key.algorithm, "next", activatesAt),
  select: selectSigningKeys,
  selectThatMayBeDue: selectKeysThatMayBeDue,
  insert: insertSigningKey,
  activate: (tx, key, now) => activateKey(tx, key.tenantId, key.kid, now),
  retire: (tx, key, expiresAt) => retireKey(tx, key.tenantId, key.kid, expiresAt),
  remove: (tx, key) => deleteKey(tx, key.tenantId, key.kid),
};

/** Sealed for one key of one tenant: a row that was moved or copied in the database does not open. */
export function sealingPurpose(tenantId: string, kid: string): string {
  return `signing-key:${tenantId}:${kid}`;
}

/** Bits of a new RSA key (RFC 7518 §3.3: 2048 or larger). */
export const RSA_BITS = 2048;

const generate = promisify(generateKeyPair);

function generatePair(algorithm: SigningAlgorithm): Promise<{ publicKey: KeyObject; privateKey: KeyObject }> {
  if (algorithm === "RS256") return generate("rsa", { modulusLength: RSA_BITS });
  if (algorithm === "EdDSA") return generate("ed25519");
  return generate("ec", { namedCurve: "P-256" });
}

/** A new key that nobody knows yet. RSA takes tenths of a second, off the event loop. */
export async function generateSigningKey(
  deps: Deps,
  tenantId: string,
  algorithm: SigningAlgorithm,
  status: "next" | "active",
  activatesAt: Date,
): Promise<SigningKeyRow> {
  const { publicKey, privateKey } = await generatePair(algorithm);
  const now = deps.clock.now();
  const kid = newId(now);
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return {
    tenantId,
    kid,
    algorithm,
    publicJwk: { ...publicKey.export({ format: "jwk" }), kid, use: "sig", alg: algorithm },
    sealedPrivate: deps.secrets.seal(pem, sealingPurpose(tenantId, kid)),
    status,
    createdAt: now,
    activatesAt,
    expiresAt: null,
  };
}
