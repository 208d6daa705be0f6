import { IdentityError, type Tenant } from "@ostiary/contracts";
import {
  generateRegistrationOptions,
  type PublicKeyCredentialCreationOptionsJSON,
  verifyRegistrationResponse,
} from "@simplewebauthn/server";
import type { RequestContext } from "../../kernel/context.ts";
import { newId } from "../../kernel/identifiers.ts";
import type { Transaction } from "../../platform/database/types.ts";
import type { Deps } from "../deps.ts";
import { lockFactors, selectAccount } from "./factor.store.ts";
import { factorAdded, type NewFactor } from "./factor-changes.ts";
import { insertPasskey, selectPasskeys } from "./passkey.store.ts";
import { consumeChallenge, isChallenge, newChallenge, relyingParty } from "./passkey-challenge.ts";
import { readClientData, readRegistration } from "./passkey-response.ts";

/** Of one user. */
const MAXIMUM = 20;
/** COSE algorithms (RFC 9053): EdDSA, ES256, RS256; what every browser and authenticator has one of. */
const ALGORITHMS = [-8, -7, -257];
/** How long the browser waits for the person, in milliseconds. */
const PATIENCE = 300_000;

/**
 * What a page gives to `navigator.credentials.create` (as `parseCreationOptionsFromJSON` reads it). Asks for no proof
 * who the person is: that is the caller's.
 *
 * @param subject - id of the flow or session in which the answer must come.
 * @throws IdentityError `user.not_found`, `factor.too_many`, `passkey.unavailable`
 */
export async function beginPasskey(
  deps: Deps,
  _context: RequestContext,
  tenant: Tenant,
  userId: string,
  { subject }: { subject: string },
): Promise<PublicKeyCredentialCreationOptionsJSON> {
  const { rpId } = relyingParty(deps);
  const account = await selectAccount(deps.database, tenant.id, userId);
  if (!account) throw new IdentityError("user.not_found");
  const passkeys = await selectPasskeys(deps.database, tenant.id, userId);
  if (passkeys.length >= MAXIMUM) throw new IdentityError("factor.too_many");
  const what = { purpose: "register", tenantId: tenant.id, subject, userId } as const;
  return generateRegistrationOptions({
    rpName: tenant.settings.branding.displayName || tenant.name,
    rpID: rpId,
    userName: account.label,
    userDisplayName: account.displayName,
    userID: Uint8Array.from(userHandle(tenant.id, userId)),
    challenge: Uint8Array.from(newChallenge(deps, what)),
    timeout: PATIENCE,
    attestationType: "none",
    excludeCredentials: passkeys.map(({ credentialId, transports }) => ({
      id: credentialId.toString("base64url"),
      transports,
    })),
    authenticatorSelection: { residentKey: "preferred", userVerification: "preferred" },
    supportedAlgorithmIDs: ALGORITHMS,
  });
}

/**
 * Registers the passkey that the browser has made: a factor from now on.
 *
 * @param input.response - what `PublicKeyCredential.toJSON()` gives.
 * @throws IdentityError `passkey.rejected` (wrong page or domain, not asked for, asked too long ago, used before,
 *   malformed or too large), `passkey.already_registered`, `passkey.unavailable`, `factor.too_many`, `user.not_found`
 */
export async function finishPasskey(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  tenant: Tenant,
  userId: string,
  { subject, response, name = "" }: { subject: string; response: unknown; name?: string | undefined },
): Promise<NewFactor> {
  const read = readRegistration(response);
  const { challenge } = readClientData(read.response.clientDataJSON);
  const what = { purpose: "register", tenantId: tenant.id, subject, userId } as const;
  if (!isChallenge(deps, what, challenge)) throw rejected("not asked for, or too long ago");
  const { rpId, origins } = relyingParty(deps);
  const { registrationInfo: info } = await verifyRegistrationResponse({
    response: read,
    expectedChallenge: challenge,
    expectedOrigin: origins,
    expectedRPID: rpId,
    requireUserVerification: false,
    supportedAlgorithmIDs: ALGORITHMS,
  }).catch((error: Error) => {
    throw rejected(error.message);
  });
  if (!info) throw rejected("not verified");
  if (!(await consumeChallenge(deps, tx, tenant.id, challenge))) throw rejected("used before");
  if (!(await lockFactors(tx, tenant.id, userId))) throw new IdentityError("user.not_found");
  if ((await selectPasskeys(tx, tenant.id, userId)).length >= MAXIMUM) {
    throw new IdentityError("factor.too_many");
  }
  const id = newId(deps.clock.now());
  const passkey = {
    id,
    userId,
    credentialId: Buffer.from(info.credential.id, "base64url"),
    publicKey: Buffer.from(info.credential.publicKey),
    counter: info.credential.counter,
    transports: read.response.transports ?? [],
    aaguid: info.aaguid,
    rpId,
    name,
    backedUp: info.credentialBackedUp,
  };
  const isNew = await insertPasskey(tx, tenant.id, passkey, deps.clock.now());
  if (!isNew) throw new IdentityError("passkey.already_registered");
  return factorAdded(deps, tx, context, tenant, userId, { id, kind: "passkey", name });
}

/** What an authenticator keeps a passkey under, beside the domain, which all tenants share. Tells nothing of the person. */
export function userHandle(tenantId: string, userId: string): Buffer {
  return Buffer.from(tenantId + userId);
}

function rejected(reason: string): IdentityError {
  return new IdentityError("passkey.rejected", { reason: reason.slice(0, 200) });
}
