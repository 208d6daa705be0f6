import { IdentityError } from "@ostiary/contracts";
import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  type PublicKeyCredentialRequestOptionsJSON,
  verifyAuthenticationResponse,
} from "@simplewebauthn/server";
import type { RequestContext } from "../../kernel/context.ts";
import type { Transaction } from "../../platform/database/types.ts";
import { recordRefusal } from "../audit/index.ts";
import { type Deps, outsideTransaction } from "../deps.ts";
import { countPasskeyUse, type Passkey, selectPasskeyByCredential, selectPasskeys } from "./passkey.store.ts";
import { consumeChallenge, isChallenge, newChallenge, relyingParty } from "./passkey-challenge.ts";
import { readAssertion, readClientData } from "./passkey-response.ts";
import { userHandle } from "./passkeys.ts";

/** How long the browser waits for the person, in milliseconds. */
const PATIENCE = 300_000;

/**
 * What a page gives to `navigator.credentials.get` (as `parseRequestOptionsFromJSON` reads it). Writes nothing.
 *
 * @param input.subject - id of the flow or session in which the answer must come.
 * @param input.userId - only after another factor has proven who it is: the user's passkeys are named, and no other
 *   user's is accepted. Without it the person's device offers what it has, and a guesser learns nothing. It must then
 *   check who holds it: a key that was a second factor would else be the only one, for whoever has found it.
 * @throws IdentityError `passkey.unavailable`
 */
export async function passkeyChallenge(
  deps: Deps,
  context: RequestContext,
  { subject, userId = null }: { subject: string; userId?: string | null | undefined },
): Promise<PublicKeyCredentialRequestOptionsJSON> {
  const { rpId } = relyingParty(deps);
  const { tenantId } = context;
  const mine = userId === null ? [] : await selectPasskeys(deps.database, tenantId, userId);
  const what = { purpose: "sign-in", tenantId, subject, userId } as const;
  return generateAuthenticationOptions({
    rpID: rpId,
    challenge: Uint8Array.from(newChallenge(deps, what)),
    timeout: PATIENCE,
    userVerification: userId === null ? "required" : "preferred",
    allowCredentials: mine.map(({ credentialId, transports }) => ({
      id: credentialId.toString("base64url"),
      transports: transports as never,
    })),
  });
}

export interface CheckedPasskey {
  userId: string;
  /** Id of the passkey. */
  id: string;
  /** The device has checked who holds it (fingerprint, PIN): both factors at once. */
  userVerified: boolean;
}

/**
 * Whether the answer to a challenge was signed by a passkey of this tenant. Challenge and counter are used up in `tx`:
 * of two requests with one answer one wins.
 *
 * @param input.subject, input.userId - as they were given to `passkeyChallenge`.
 * @param input.response - what `PublicKeyCredential.toJSON()` gives.
 * @throws IdentityError `passkey.rejected` for every reason but `user.suspended`, which only the holder learns;
 *   `passkey.unavailable`
 */
export async function checkPasskey(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  input: { subject: string; response: unknown; userId?: string | null | undefined },
): Promise<CheckedPasskey> {
  const { subject, userId = null } = input;
  const { tenantId } = context;
  const response = readAssertion(input.response);
  const { challenge } = readClientData(response.response.clientDataJSON);
  const what = { purpose: "sign-in", tenantId, subject, userId } as const;
  if (!isChallenge(deps, what, challenge)) throw rejected("not asked for, or too long ago");
  const credentialId = Buffer.from(response.id, "base64url");
  const passkey = await selectPasskeyByCredential(tx, tenantId, credentialId);
  if (!passkey || (userId !== null && passkey.userId !== userId)) throw rejected("unknown passkey");
  try {
    const verified = await verify(deps, tenantId, passkey, response, { challenge, isFirst: userId === null });
    if (!(await consumeChallenge(deps, tx, tenantId, challenge))) throw rejected("used before");
    const { newCounter: counter, credentialBackedUp: backedUp, userVerified } = verified;
    const use = { counter, backedUp, now: deps.clock.now() };
    if (!(await countPasskeyUse(tx, tenantId, passkey.id, use))) throw rejected("the counter went back");
    if (passkey.status !== "active") throw new IdentityError("user.suspended", { reason: "suspended" });
    return { userId: passkey.userId, id: passkey.id, userVerified };
  } catch (error) {
    if (error instanceof IdentityError) await record(deps, context, passkey, error);
    throw error;
  }
}

async function verify(
  deps: Deps,
  tenantId: string,
  passkey: Passkey,
  response: AuthenticationResponseJSON,
  { challenge, isFirst }: { challenge: string; isFirst: boolean },
) {
  const { origins } = relyingParty(deps);
  const handle = response.response.userHandle;
  if (handle !== undefined && handle !== userHandle(tenantId, passkey.userId).toString("base64url")) {
    throw rejected("the passkey of another user");
  }
  const result = await verifyAuthenticationResponse({
    response,
    expectedChallenge: challenge,
    expectedOrigin: origins,
    expectedRPID: passkey.rpId,
    requireUserVerification: isFirst,
    credential: {
      id: response.id,
      publicKey: Uint8Array.from(passkey.publicKey),
      counter: passkey.counter,
    },
  }).catch((error: Error) => {
    throw rejected(error.message);
  });
  if (!result.verified) throw rejected("wrong signature");
  return result.authenticationInfo;
}

/** Outside of the transaction, which will be rolled back. */
async function record(
  deps: Deps,
  context: RequestContext,
  passkey: Passkey,
  error: IdentityError,
): Promise<void> {
  await recordRefusal(outsideTransaction(deps), context, {
    type: "factor.refused",
    target: { type: "user", id: passkey.userId },
    reason: error.reason ?? error.code,
    data: { method: "passkey", id: passkey.id },
  });
}

function rejected(reason: string): IdentityError {
  return new IdentityError("passkey.rejected", { reason: reason.slice(0, 200) });
}
