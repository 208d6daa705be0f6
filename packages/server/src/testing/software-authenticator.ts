import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { isoCBOR } from "@simplewebauthn/server/helpers";

type Cbor = Parameters<typeof isoCBOR.encode>[0];

/** What a page is told to ask for; the part of the options that matters here. */
interface Options {
  challenge: string;
  rpId?: string | undefined;
  rp?: { id?: string | undefined };
  user?: { id: string };
  allowCredentials?: readonly { id: string }[] | undefined;
  excludeCredentials?: readonly { id: string }[] | undefined;
}

interface Credential {
  id: Buffer;
  rpId: string;
  userHandle: string;
  key: KeyObject;
  counter: number;
}

/** Lies that a test makes it tell. */
export interface Lies {
  origin?: string;
  rpId?: string;
  challenge?: string;
  type?: string;
  crossOrigin?: boolean;
  counter?: number;
  /** Default true: fingerprint or PIN. */
  userVerified?: boolean;
  userPresent?: boolean;
  userHandle?: string;
  credentialId?: Buffer;
  fmt?: string;
  attStmt?: Map<string, Cbor>;
  /** Bytes of padding in the attestation object. */
  padding?: number;
}

const EMPTY = new Map<string, Cbor>();

/**
 * An authenticator with a browser around it, for tests: discoverable ES256 credentials, real signatures, attestation
 * "none". What it returns is what `PublicKeyCredential.toJSON()` gives.
 */
export class SoftwareAuthenticator {
  readonly credentials: Credential[] = [];
  readonly #origin: string;
  /** Synchronized passkeys have no counter. */
  readonly #counts: boolean;

  constructor(origin: string, options: { counts?: boolean } = {}) {
    this.#origin = origin;
    this.#counts = options.counts ?? true;
  }

  /** `navigator.credentials.create`. */
  create(options: Options, lies: Lies = {}): Record<string, unknown> & { id: string } {
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const credential: Credential = {
      id: lies.credentialId ?? randomBytes(32),
      rpId: options.rp?.id ?? new URL(this.#origin).hostname,
      userHandle: options.user?.id ?? "",
      key: privateKey,
      counter: 0,
    };
    this.credentials.push(credential);
    const { x = "", y = "" } = publicKey.export({ format: "jwk" });
    const cose = new Map<number, number | Uint8Array>([
      [1, 2],
      [3, -7],
      [-1, 1],
      [-2, Buffer.from(x, "base64url")],
      [-3, Buffer.from(y, "base64url")],
    ]);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(credential.id.length);
    const attested = Buffer.concat([Buffer.alloc(16), length, credential.id, isoCBOR.encode(cose)]);
    const attestation = new Map<string, Cbor>([
      ["fmt", lies.fmt ?? "none"],
      ["attStmt", lies.attStmt ?? EMPTY],
      ["authData", Uint8Array.from(this.#authenticatorData(credential, lies, attested))],
      ...(lies.padding ? ([["padding", new Uint8Array(lies.padding)]] as const) : []),
    ]);
    const id = credential.id.toString("base64url");
    return {
      id,
      rawId: id,
      type: "public-key",
      authenticatorAttachment: "platform",
      clientExtensionResults: {},
      response: {
        clientDataJSON: this.#clientData("webauthn.create", options, lies).toString("base64url"),
        attestationObject: Buffer.from(isoCBOR.encode(attestation)).toString("base64url"),
        transports: ["internal"],
      },
    };
  }

  /** `navigator.credentials.get`: the newest credential that fits. */
  get(options: Options, lies: Lies = {}): Record<string, unknown> & { id: string } {
    const allowed = options.allowCredentials ?? [];
    const credential = this.credentials.findLast(
      ({ id, rpId }) =>
        rpId === options.rpId &&
        (allowed.length === 0 || allowed.some((one) => one.id === id.toString("base64url"))),
    );
    if (!credential) throw new Error("NotAllowedError: no credential fits");
    if (this.#counts) credential.counter += 1;
    const authenticatorData = this.#authenticatorData(credential, lies);
    const clientData = this.#clientData("webauthn.get", options, lies);
    const hash = createHash("sha256").update(clientData).digest();
    const signature = sign("sha256", Buffer.concat([authenticatorData, hash]), credential.key);
    const id = (lies.credentialId ?? credential.id).toString("base64url");
    return {
      id,
      rawId: id,
      type: "public-key",
      clientExtensionResults: {},
      response: {
        clientDataJSON: clientData.toString("base64url"),
        authenticatorData: authenticatorData.toString("base64url"),
        signature: signature.toString("base64url"),
        userHandle: lies.userHandle ?? credential.userHandle,
      },
    };
  }

  #clientData(type: string, options: Options, lies: Lies): Buffer {
    const data = {
      type: lies.type ?? type,
      challenge: lies.challenge ?? options.challenge,
      origin: lies.origin ?? this.#origin,
      crossOrigin: lies.crossOrigin ?? false,
    };
    return Buffer.from(JSON.stringify(data));
  }

  /** WebAuthn §6.1: hash of the domain, flags (present 0x01, verified 0x04, attested 0x40), counter. */
  #authenticatorData(credential: Credential, lies: Lies, attested?: Buffer): Buffer {
    const hash = createHash("sha256")
      .update(lies.rpId ?? credential.rpId)
      .digest();
    const flags =
      ((lies.userPresent ?? true) ? 0x01 : 0) |
      ((lies.userVerified ?? true) ? 0x04 : 0) |
      (attested ? 0x40 : 0);
    const tail = Buffer.alloc(5);
    tail.writeUInt8(flags, 0);
    tail.writeUInt32BE(lies.counter ?? credential.counter, 1);
    return Buffer.concat([hash, tail, ...(attested ? [attested] : [])]);
  }
}
