/** A stored password hash that was read and found acceptable. */
export interface ParsedPasswordHash {
  /** What it is, for statistics and the audit trail: `argon2id`, `bcrypt`, `pbkdf2-sha256`, … */
  readonly format: string;
  /** Present on a plain argon2id PHC string only: everything else is replaced at the next sign-in. */
  readonly argon2id?: Argon2Parameters;
  /**
   * bcrypt reads this many bytes of a password and ignores the rest. A longer password that matched may end
   * in a typing mistake, so it must not become the new hash.
   */
  readonly significantBytes?: number;
  /** Whether the UTF-8 bytes are the password. Costs what the stored parameters say; compares in constant time. */
  verify(password: Buffer): Promise<boolean>;
}

export interface Argon2Parameters {
  memoryKiB: number;
  iterations: number;
  parallelism: number;
  version: number;
  saltBytes: number;
  hashBytes: number;
}

/**
 * One family of formats. Answers `undefined` for text that is not of this family, and `"unsafe"` for text that is
 * but asks for more memory or time than one sign-in may cost, or is so short that guessing would succeed.
 */
export type PasswordFormat = (text: string) => ParsedPasswordHash | "unsafe" | undefined;

/** Limits on what an imported hash may cost: an attacker who can import one must not get a way to stop the server. */
export const COST_LIMITS = {
  /** Memory of one verification, in KiB: 256 MiB. RFC 9106 §4's second recommendation is 64 MiB. */
  memoryKiB: 262_144,
  /** Memory written and read in all passes, in KiB: 1 GiB, about a second. */
  memoryPassesKiB: 1_048_576,
  /** argon2 lanes, scrypt p. */
  parallelism: 16,
  /** bcrypt: 2^15 rounds are about two seconds. */
  bcryptCost: 15,
  /** PBKDF2: Django 6.0 uses 1,200,000; OWASP asks for 1,300,000 with SHA-1. */
  pbkdf2Iterations: 2_500_000,
  /** SHA-crypt: the algorithm's own maximum. */
  shaCryptRounds: 999_999,
  /** A truncated hash below this length, in bytes, is refused. */
  minimumHashBytes: 16,
  maximumHashBytes: 128,
} as const;

/** Standard base64 with or without padding, or passlib's variant of it that has "." for "+". */
export function decodeBase64(text: string): Buffer {
  return Buffer.from(text.replaceAll(".", "+"), "base64");
}

export function acceptableHashLength(bytes: Buffer): boolean {
  return bytes.length >= COST_LIMITS.minimumHashBytes && bytes.length <= COST_LIMITS.maximumHashBytes;
}
