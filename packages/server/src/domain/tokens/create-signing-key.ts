import { generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import type { SigningAlgorithm } from "@ostiary/contracts";
import { type RequestContext, systemContext } from "../../kernel/context.ts";
import { newId } from "../../kernel/identifiers.ts";
import { recordEvent } from "../audit/index.ts";
import { type Deps, outsideTransaction } from "../deps.ts";
import {
  insertSigningKey,
  lockSigningKeys,
  type SigningKeyRow,
  selectSigningKeys,
} from "./signing-key.store.ts";

/** Sealed for one key of one tenant: a row that was moved or copied in the database does not open. */
export function sealingPurpose(tenantId: string, kid: string): string {
  return `signing-key:${tenantId}:${kid}`;
}

/** Bits of a new RSA key (RFC 7518 §3.3: 2048 or larger). */
const RSA_BITS = 2048;

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

/**
 * Makes the tenant's first key of an algorithm. Any number of processes may try at once: the lock lets one win and
 * the others find its key. In a transaction of its own, since a key that has signed must never be rolled back.
 */
export async function ensureActiveKey(
  joined: Deps,
  tenantId: string,
  algorithm: SigningAlgorithm,
): Promise<void> {
  const deps = outsideTransaction(joined);
  const key = await generateSigningKey(deps, tenantId, algorithm, "active", deps.clock.now());
  await deps.database.transaction(async (tx) => {
    await lockSigningKeys(tx, tenantId);
    const keys = await selectSigningKeys(tx, tenantId);
    if (keys.some((other) => other.algorithm === algorithm && other.status === "active")) return;
    await insertSigningKey(tx, key);
    await recordKeyEvent(deps, tx, systemContext(tenantId), "signing_key.created", key);
  });
}

/** A change of the tenant's keys: the audit log hears it, and every process drops what it has in its cache. */
export function recordKeyEvent(
  deps: Deps,
  tx: Parameters<typeof recordEvent>[1],
  context: RequestContext,
  type: "signing_key.created" | "signing_key.activated" | "signing_key.retired",
  key: { kid: string; algorithm: SigningAlgorithm },
): Promise<void> {
  const target = { type: "signing-key", id: key.kid };
  const event = { type, target, data: { algorithm: key.algorithm } };
  return recordEvent(deps, tx, context, event, [`signing-keys:${context.tenantId}`]);
}
