import { IdentityError } from "@ostiary/contracts";
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from "@simplewebauthn/server";
import { isoBase64URL, isoCBOR } from "@simplewebauthn/server/helpers";
import { isObject } from "../../kernel/is-object.ts";

type Cbor = Parameters<typeof isoCBOR.encode>[0];

/** Lengths in base64url characters. WebAuthn §4: a credential id has at most 1,023 bytes. */
const LONGEST = {
  id: 1_364,
  clientDataJSON: 4_096,
  attestationObject: 16_384,
  authenticatorData: 4_096,
  signature: 8_192,
  userHandle: 128,
} as const;

const TRANSPORTS: ReadonlySet<string> = new Set([
  "ble",
  "cable",
  "hybrid",
  "internal",
  "nfc",
  "smart-card",
  "usb",
]);

/**
 * What a browser's `PublicKeyCredential.toJSON()` gives after `navigator.credentials.create`, of bounded size and with
 * nothing that we do not use. Whatever attestation it carries is left out: none was asked for, nothing depends on it,
 * and its certificates would name addresses to call.
 *
 * @throws IdentityError `passkey.rejected`
 */
export function readRegistration(value: unknown): RegistrationResponseJSON {
  const { credential, response } = readCredential(value);
  const attestationObject = base64url(response, "attestationObject");
  const { transports } = response;
  const known = Array.isArray(transports) ? transports.filter((name) => TRANSPORTS.has(name)) : [];
  return {
    ...credential,
    response: {
      clientDataJSON: base64url(response, "clientDataJSON"),
      attestationObject: withoutAttestation(attestationObject),
      transports: [...new Set(known)] as never,
    },
  };
}

/** The same after `navigator.credentials.get`. @throws IdentityError `passkey.rejected` */
export function readAssertion(value: unknown): AuthenticationResponseJSON {
  const { credential, response } = readCredential(value);
  const { userHandle } = response;
  return {
    ...credential,
    response: {
      clientDataJSON: base64url(response, "clientDataJSON"),
      authenticatorData: base64url(response, "authenticatorData"),
      signature: base64url(response, "signature"),
      ...(userHandle === undefined || userHandle === null
        ? {}
        : { userHandle: base64url(response, "userHandle") }),
    },
  };
}

/** What the browser says it has signed. @throws IdentityError `passkey.rejected` */
export function readClientData(clientDataJSON: string): { challenge: string } {
  let data: unknown;
  try {
    data = JSON.parse(isoBase64URL.toUTF8String(clientDataJSON));
  } catch {
    throw malformed("clientDataJSON");
  }
  if (!isObject(data) || typeof data["challenge"] !== "string") throw malformed("clientDataJSON");
  // In a frame of somebody else's page the person cannot see whose page it is.
  if (data["crossOrigin"] === true) throw malformed("used in a foreign frame");
  return { challenge: data["challenge"] };
}

/** What every credential has, and its response as it came. */
function readCredential(value: unknown) {
  if (!isObject(value) || value["type"] !== "public-key" || !isObject(value["response"])) {
    throw malformed("no credential");
  }
  const id = base64url(value, "id");
  if (value["rawId"] !== undefined && value["rawId"] !== id) throw malformed("rawId");
  const credential = { id, rawId: id, type: "public-key", clientExtensionResults: {} } as const;
  return { credential, response: value["response"] };
}

function base64url(holder: Record<string, unknown>, name: keyof typeof LONGEST): string {
  const text = holder[name];
  if (typeof text !== "string" || text.length === 0 || text.length > LONGEST[name]) throw malformed(name);
  if (!/^[\w-]+$/.test(text)) throw malformed(name);
  return text;
}

function withoutAttestation(attestationObject: string): string {
  try {
    const object = isoCBOR.decodeFirst<Map<string, Uint8Array<ArrayBuffer>>>(
      isoBase64URL.toBuffer(attestationObject),
    );
    const authData = object.get("authData");
    if (!(authData instanceof Uint8Array)) throw malformed("authData");
    const bare = new Map<string, Cbor>([
      ["fmt", "none"],
      ["attStmt", new Map()],
      ["authData", authData],
    ]);
    return isoBase64URL.fromBuffer(isoCBOR.encode(bare));
  } catch {
    throw malformed("attestationObject");
  }
}

function malformed(what: string): IdentityError {
  return new IdentityError("passkey.rejected", { reason: `malformed: ${what}` });
}
