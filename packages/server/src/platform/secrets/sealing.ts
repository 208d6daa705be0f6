import { createCipheriv, createDecipheriv, hash, hkdfSync, randomBytes } from "node:crypto";
import type { Secrets } from "../../kernel/ports.ts";
import { MASTER_KEY_BYTES } from "./master-key.ts";

/** 32 bytes each. New things are sealed under `current`; what was sealed under a previous key still opens. */
export interface MasterKeys {
  current: Buffer;
  previous?: readonly Buffer[];
}

export interface Sealer {
  /**
   * AES-256-GCM with a random 96-bit IV (NIST SP 800-38D §8.2.2: up to 2^32 seals under one master key).
   *
   * @param associatedData what the secret is and whose; unsealing needs the same text
   */
  seal(plaintext: Uint8Array | string, associatedData: string): Buffer;
  /** @throws UnsealError when the bytes were changed, or sealed for something else or under an unknown key */
  unseal(sealed: Uint8Array, associatedData: string): Buffer;
  /** Whether it is sealed under another key than the current one (or is not a sealed value at all). */
  needsResealing(sealed: Uint8Array): boolean;
}

export class UnsealError extends Error {
  override readonly name = "UnsealError";
}

// Layout of a sealed value: version (1 byte) · key id (4) · IV (12) · tag (16) · ciphertext.
const VERSION = 1;
const KEY_ID_BYTES = 4;
const HEADER_BYTES = 1 + KEY_ID_BYTES;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const OVERHEAD_BYTES = HEADER_BYTES + IV_BYTES + TAG_BYTES;

export function createSealer(masterKeys: MasterKeys): Sealer {
  const current = derive(masterKeys.current);
  const known = [current, ...(masterKeys.previous ?? []).map(derive)];
  const currentHeader = Buffer.concat([Buffer.from([VERSION]), current.id]);

  function seal(plaintext: Uint8Array | string, associatedData: string): Buffer {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv("aes-256-gcm", current.key, iv, { authTagLength: TAG_BYTES });
    cipher.setAAD(Buffer.concat([currentHeader, Buffer.from(associatedData)]));
    const body = Buffer.concat([cipher.update(Buffer.from(plaintext)), cipher.final()]);
    return Buffer.concat([currentHeader, iv, cipher.getAuthTag(), body]);
  }

  function unseal(sealed: Uint8Array, associatedData: string): Buffer {
    const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
    if (bytes.length < OVERHEAD_BYTES) throw new UnsealError("The sealed value is too short");
    if (bytes[0] !== VERSION) throw new UnsealError(`The sealed value has the unknown version ${bytes[0]}`);
    const header = bytes.subarray(0, HEADER_BYTES);
    const candidates = known.filter(({ id }) => id.equals(header.subarray(1)));
    if (candidates.length === 0) {
      throw new UnsealError(
        `The value was sealed under the unknown master key ${header.subarray(1).toString("hex")}`,
      );
    }
    const authenticated = Buffer.concat([header, Buffer.from(associatedData)]);
    for (const { key } of candidates) {
      const opened = open(bytes, authenticated, key);
      if (opened) return opened;
    }
    throw new UnsealError("The sealed value was changed, or was sealed for something else");
  }

  const needsResealing = (sealed: Uint8Array) => !currentHeader.equals(sealed.subarray(0, HEADER_BYTES));
  return { seal, unseal, needsResealing };
}

function open(bytes: Buffer, authenticated: Buffer, key: Buffer): Buffer | undefined {
  const iv = bytes.subarray(HEADER_BYTES, HEADER_BYTES + IV_BYTES);
  const decipher = createDecipheriv("aes-256-gcm", key, iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(authenticated);
  decipher.setAuthTag(bytes.subarray(HEADER_BYTES + IV_BYTES, OVERHEAD_BYTES));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(OVERHEAD_BYTES)), decipher.final()]);
  } catch {
    return undefined;
  }
}

/** The id is derived like the key, so it tells nothing about it; the master key itself never encrypts. */
function derive(masterKey: Buffer): { id: Buffer; key: Buffer } {
  if (masterKey.length !== MASTER_KEY_BYTES) throw new Error("A master key has 32 bytes");
  const expand = (info: string, length: number) =>
    Buffer.from(hkdfSync("sha256", masterKey, "", info, length));
  return { id: expand("ostiary key id v1", KEY_ID_BYTES), key: expand("ostiary sealing v1", 32) };
}

/**
 * HMAC-SHA256 under a key of its own for each purpose (HKDF, RFC 5869).
 *
 * @param hashKey 32 random bytes. It is not a master key: stored hashes cannot be computed again under another key, so
 *   it is made once per installation (`randomBytes(32)`), stored sealed, and on a change of the master key sealed anew
 */
export function createKeyedHasher(hashKey: Buffer): (text: string, purpose: string) => Buffer {
  if (hashKey.length !== 32) throw new Error("The hash key has 32 bytes");
  const macs = new Map<string, (text: string) => Buffer>(); // purposes are few and fixed in the code
  return (text, purpose) => {
    let mac = macs.get(purpose);
    if (!mac) {
      const derived = hkdfSync("sha256", hashKey, "", `ostiary keyed hash v1 ${purpose}`, 32);
      mac = createMac(Buffer.from(derived));
      macs.set(purpose, mac);
    }
    return mac(text);
  };
}

/** Of SHA-256, in bytes. */
const BLOCK_BYTES = 64;

/**
 * HMAC-SHA256 (RFC 2104 §2) from one-shot hashes, for keys of 32 bytes. `createHmac` makes an object outside of the
 * JavaScript heap for every call, which under load costs 5 µs and a sixth of a token verification; this costs 1 µs.
 */
function createMac(key: Buffer): (text: string) => Buffer {
  const padded = Buffer.concat([key], BLOCK_BYTES);
  const inner = Buffer.from(padded.map((byte) => byte ^ 0x36));
  const outer = Buffer.from(padded.map((byte) => byte ^ 0x5c));
  // "binary" is Latin-1, one character a byte; a Buffer for the result would again be an object of its own.
  const digest = (pad: Buffer, message: Buffer) =>
    Buffer.from(hash("sha256", Buffer.concat([pad, message]), "binary"), "latin1");
  return (text) => digest(outer, digest(inner, Buffer.from(text)));
}

/** Joins both for the domain; `needsResealing` and the bytes of `Sealer` are for the re-key command. */
export function createSecrets(options: { sealer: Sealer; hashKey: Buffer }): Secrets {
  const { sealer } = options;
  return {
    seal: (plaintext, purpose) => sealer.seal(plaintext, purpose),
    unseal: (sealed, purpose) => sealer.unseal(sealed, purpose).toString("utf8"),
    keyedHash: createKeyedHasher(options.hashKey),
  };
}
