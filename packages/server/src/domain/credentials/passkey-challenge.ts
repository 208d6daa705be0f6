import { randomBytes } from "node:crypto";
import { isIP } from "node:net";
import { IdentityError } from "@ostiary/contracts";
import { addSeconds } from "../../kernel/clock.ts";
import { equalBytes } from "../../kernel/constant-time.ts";
import type { Transaction } from "../../platform/database/types.ts";
import { type Deps, within } from "../deps.ts";
import { useOnce } from "../tokens/index.ts";

/** As long as a sign-in may take: the browser offers passkeys from the first page on. */
const CHALLENGE_SECONDS = 3_600;
const NONCE = 16;
const TIME = 6;

/** For what a challenge is good: an answer to another one is not accepted. */
export interface ChallengeFor {
  purpose: "register" | "sign-in";
  tenantId: string;
  /** Id of the flow or session it is asked in. */
  subject: string;
  /** null: whoever answers. */
  userId: string | null;
}

/**
 * A random challenge that carries its end and a keyed hash of what it is for, so that asking for one writes nothing
 * (WebAuthn §13.4.3: at least 16 random bytes).
 */
export function newChallenge(deps: Deps, what: ChallengeFor): Buffer {
  const ends = Buffer.alloc(TIME);
  ends.writeUIntBE(addSeconds(deps.clock.now(), CHALLENGE_SECONDS).getTime(), 0, TIME);
  const head = Buffer.concat([randomBytes(NONCE), ends]);
  return Buffer.concat([head, hashOf(deps, what, head)]);
}

/** Whether it is one of ours, for this, and not too old. */
export function isChallenge(deps: Deps, what: ChallengeFor, challenge: string): boolean {
  const bytes = Buffer.from(challenge, "base64url");
  if (bytes.length !== NONCE + TIME + 32) return false;
  const head = bytes.subarray(0, NONCE + TIME);
  if (!equalBytes(bytes.subarray(NONCE + TIME), hashOf(deps, what, head))) return false;
  return head.readUIntBE(NONCE, TIME) > deps.clock.now().getTime();
}

/** Uses a challenge up. False when it was: of two requests at once one wins. */
export function consumeChallenge(
  deps: Deps,
  tx: Transaction,
  tenantId: string,
  challenge: string,
): Promise<boolean> {
  const expiresAt = addSeconds(deps.clock.now(), CHALLENGE_SECONDS);
  return useOnce(within(deps, tx), tenantId, "passkey-challenge", challenge, expiresAt);
}

function hashOf(deps: Deps, { purpose, tenantId, subject, userId }: ChallengeFor, head: Buffer): Buffer {
  const text = JSON.stringify([purpose, tenantId, subject, userId, head.toString("base64url")]);
  return deps.secrets.keyedHash(text, "passkey-challenge");
}

/**
 * For which domain passkeys are made, and on which pages they may be used: the server's own, and those that the
 * installation names (WebAuthn §5.11, related origins).
 *
 * @throws IdentityError `passkey.unavailable` when the server is reached by an IP address
 */
export function relyingParty(deps: Pick<Deps, "publicUrl" | "passkeyOrigins">): {
  rpId: string;
  origins: string[];
} {
  const { hostname, origin } = new URL(deps.publicUrl);
  if (isIP(hostname.replace(/^\[|\]$/g, "")) !== 0) throw new IdentityError("passkey.unavailable");
  return { rpId: hostname, origins: [origin, ...(deps.passkeyOrigins ?? [])] };
}
