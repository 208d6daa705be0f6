import { generateKeyPair, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import type { DIALECT_KEY_PURPOSES, Tenant } from "@ostiary/contracts";
import { newId } from "../../kernel/identifiers.ts";
import type { Deps } from "../deps.ts";
import { RSA_BITS } from "./create-signing-key.ts";
import {
  activateDialectKey,
  type DialectKeyRow,
  deleteDialectKey,
  insertDialectKey,
  retireDialectKey,
  selectDialectKeys,
  selectDialectKeysThatMayBeDue,
} from "./dialect-key.store.ts";
import type { KeyKind } from "./rotating-keys.ts";

const DAY = 86_400;

interface Purpose {
  algorithm: "RS512" | "HS512";
  /** Seconds: no token under such a key lives longer. So long a retired key still verifies. */
  tokenSeconds: number;
  /** Age in days at which a key is replaced; null: by hand only. */
  rotationDays(tenant: Tenant): number | null;
}

/** What dialects sign, beside the tokens of OAuth. */
const PURPOSES = {
  // A gateway's consumers fetch its one public key when they are deployed and keep it: nothing replaces it behind their
  // back unless the tenant wants that.
  blueking: {
    algorithm: "RS512",
    tokenSeconds: 3_600,
    rotationDays: (tenant) => tenant.settings.blueking.gatewayKeyRotationDays,
  },
  zibanu: {
    algorithm: "HS512",
    tokenSeconds: 30 * DAY,
    rotationDays: (tenant) => tenant.settings.tokens.keyRotationDays,
  },
} as const satisfies Record<DialectKeyPurpose, Purpose>;

export type DialectKeyPurpose = (typeof DIALECT_KEY_PURPOSES)[number];

/** Bytes of a new HS512 secret (RFC 7518 §3.2: at least the size of the hash). */
const SECRET_BYTES = 64;

/** The keys of the dialects. One line for each purpose. */
export const DIALECT_KEYS: KeyKind<DialectKeyRow> = {
  lineOf: (key) => key.purpose,
  rotationDays: (key, tenant) => purposeOf(key).rotationDays(tenant),
  retiringSeconds: (key) => purposeOf(key).tokenSeconds,
  successorOf: (deps, key, activatesAt) =>
    generateDialectKey(deps, key.tenantId, key.purpose as DialectKeyPurpose, "next", activatesAt),
  select: selectDialectKeys,
  selectThatMayBeDue: selectDialectKeysThatMayBeDue,
  insert: insertDialectKey,
  activate: activateDialectKey,
  retire: retireDialectKey,
  remove: deleteDialectKey,
};

/** A purpose that only a newer version knows is left to that version. */
const UNKNOWN_PURPOSE: Purpose = { algorithm: "HS512", tokenSeconds: 30 * DAY, rotationDays: () => null };

function purposeOf(key: DialectKeyRow): Purpose {
  return Object.hasOwn(PURPOSES, key.purpose) ? PURPOSES[key.purpose as DialectKeyPurpose] : UNKNOWN_PURPOSE;
}

const generate = promisify(generateKeyPair);

/** Sealed for one key of one tenant: a row that was moved or copied in the database does not open. */
export function dialectSealingPurpose(key: { tenantId: string; purpose: string; kid: string }): string {
  return `dialect-key:${key.tenantId}:${key.purpose}:${key.kid}`;
}

/** A new key that nobody knows yet. */
export async function generateDialectKey(
  deps: Deps,
  tenantId: string,
  purpose: DialectKeyPurpose,
  status: "next" | "active",
  activatesAt: Date,
): Promise<DialectKeyRow> {
  const { algorithm } = PURPOSES[purpose];
  const { secret, publicKey } = await generateSecret(algorithm);
  const now = deps.clock.now();
  const key = { tenantId, purpose, kid: newId(now) };
  return {
    ...key,
    algorithm,
    sealedSecret: deps.secrets.seal(secret, dialectSealingPurpose(key)),
    publicKey,
    status,
    createdAt: now,
    activatesAt,
    expiresAt: null,
  };
}

async function generateSecret(
  algorithm: "RS512" | "HS512",
): Promise<{ secret: string; publicKey: string | null }> {
  if (algorithm === "HS512") {
    return { secret: randomBytes(SECRET_BYTES).toString("base64url"), publicKey: null };
  }
  const pair = await generate("rsa", { modulusLength: RSA_BITS });
  return {
    secret: pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    publicKey: pair.publicKey.export({ type: "spki", format: "pem" }).toString(),
  };
}
