import { randomBytes } from "node:crypto";
import { availableParallelism } from "node:os";
import { hash, hashRaw } from "@node-rs/argon2";
import { IdentityError } from "@ostiary/contracts";
import type { PasswordHasher as PasswordHasherPort } from "../../kernel/ports.ts";
import { readFastDigest, wrapDigest } from "./password-formats/digest.ts";
import { parsePasswordHash } from "./password-formats/parse-password-hash.ts";
import type { Argon2Parameters, ParsedPasswordHash } from "./password-formats/password-format.ts";
import { createWorkPool, type WorkPoolStatistics } from "./work-pool.ts";

/** Longer passwords are refused, in UTF-8 bytes: SHA-crypt's cost grows with the length. */
const MAXIMUM_PASSWORD_BYTES = 1_024;

const HASH_BYTES = 32;
const SALT_BYTES = 16;
/** Below this, more iterations do not make up for the missing memory: OWASP's smallest choice, in KiB. */
const LOWEST_MEMORY_KIB = 7_168;
/** libuv's default number of threads. */
const DEFAULT_THREADS = 4;

export interface PasswordHasherOptions {
  /** How many hashes are computed at a time. Default: the cores; always below UV_THREADPOOL_SIZE. */
  concurrency?: number;
  /** How many may wait. Default: 64 for each place, about a second and a half. */
  queueLimit?: number;
  /** Memory of one hash in KiB. Default 19,456 (OWASP). */
  memoryKiB?: number;
  /** Passes over the memory. Default 2. */
  iterations?: number;
  /** Lanes. Default 1: the pool uses the cores already. */
  parallelism?: number;
}

export interface PasswordHasher extends PasswordHasherPort {
  stats(): WorkPoolStatistics;
}

/** Hashes with argon2id (RFC 9106) and verifies every format of `password-formats/`. */
export function createPasswordHasher(options: PasswordHasherOptions = {}): PasswordHasher {
  const { memoryKiB = 19_456, iterations = 2, parallelism = 1 } = options;
  const concurrency = boundedConcurrency(options.concurrency);
  const pool = createWorkPool({ concurrency, queueLimit: options.queueLimit ?? 64 * concurrency });
  const parameters = {
    algorithm: 2 as const, // Argon2id
    memoryCost: memoryKiB,
    timeCost: iterations,
    parallelism,
    outputLen: HASH_BYTES,
  };
  const nothingSalt = randomBytes(SALT_BYTES);

  async function hashPassword(password: string): Promise<string> {
    if (isTooLong(password))
      throw new IdentityError("password.too_long", { reason: "more than 1,024 bytes" });
    return pool.run(() => hash(normalised(password), parameters));
  }

  async function verifyNothing(password: string): Promise<void> {
    if (isTooLong(password)) return;
    for (const candidate of candidates(password)) {
      await pool.run(() => hashRaw(candidate, { ...parameters, salt: nothingSalt }));
    }
  }

  async function verify(stored: string, password: string): Promise<{ ok: boolean; upgrade: boolean }> {
    if (isTooLong(password)) return { ok: false, upgrade: false };
    const parsed = tryParse(stored);
    if (!parsed) {
      // Import refuses such text, so this is a damaged row. To the one who signs in it is a wrong password.
      await verifyNothing(password);
      return { ok: false, upgrade: false };
    }
    for (const [index, candidate] of candidates(password).entries()) {
      if (!(await pool.run(() => parsed.verify(candidate)))) continue;
      const whole = candidate.length <= (parsed.significantBytes ?? Number.POSITIVE_INFINITY);
      return { ok: true, upgrade: whole && (index > 0 || isWeaker(parsed.argon2id, memoryKiB, iterations)) };
    }
    return { ok: false, upgrade: false };
  }

  async function adopt(imported: string): Promise<string> {
    parsePasswordHash(imported);
    const digest = readFastDigest(imported);
    return digest ? wrapDigest(digest, await pool.run(() => hash(digest.hex, parameters))) : imported;
  }

  return { hash: hashPassword, verify, verifyNothing, adopt, stats: pool.stats };
}

/** One thread stays free for files and name look-ups; over-subscribing the cores halves the throughput (measured). */
function boundedConcurrency(wanted: number = availableParallelism()): number {
  const threads = Number(process.env.UV_THREADPOOL_SIZE) || DEFAULT_THREADS;
  return Math.max(1, Math.min(wanted, threads - 1));
}

function isTooLong(password: string): boolean {
  return Buffer.byteLength(password) > MAXIMUM_PASSWORD_BYTES;
}

/** The same characters typed on another keyboard are the same password: NIST SP 800-63B §5.1.1.2 (NFKC). */
function normalised(password: string): Buffer {
  return Buffer.from(password.normalize("NFKC"));
}

/**
 * What may have been hashed: the normalised text (always so by us), else the text as it was typed (by others). Most
 * passwords are the same in both; where they differ, known and unknown users alike cost two computations.
 */
function candidates(password: string): Buffer[] {
  const [folded, raw] = [normalised(password), Buffer.from(password)];
  return folded.equals(raw) ? [folded] : [folded, raw];
}

function tryParse(stored: string): ParsedPasswordHash | undefined {
  try {
    return parsePasswordHash(stored);
  } catch (error) {
    if (error instanceof IdentityError) return undefined;
    throw error;
  }
}

/** Whether a stored hash costs an attacker less than one that we would make now. A stronger one is kept. */
function isWeaker(stored: Argon2Parameters | undefined, memoryKiB: number, iterations: number): boolean {
  return (
    stored === undefined ||
    stored.version !== 19 ||
    stored.saltBytes < SALT_BYTES ||
    stored.hashBytes < HASH_BYTES ||
    stored.memoryKiB < Math.min(memoryKiB, LOWEST_MEMORY_KIB) ||
    stored.memoryKiB * stored.iterations < memoryKiB * iterations
  );
}
