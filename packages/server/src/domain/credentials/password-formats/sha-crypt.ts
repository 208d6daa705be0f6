import { hash } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { equalBytes } from "../../../kernel/constant-time.ts";
import { COST_LIMITS, type PasswordFormat } from "./password-format.ts";

// Ulrich Drepper, "Unix crypt using SHA-256 and SHA-512": https://www.akkadia.org/drepper/SHA-crypt.txt
// The step numbers below are those of that page.
const PATTERN =
  /^\$([56])\$(?:rounds=([1-9]\d{0,8})\$)?([^$\s]{0,16})\$([./A-Za-z0-9]{43}|[./A-Za-z0-9]{86})$/;
const ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const DEFAULT_ROUNDS = 5_000;
const MINIMUM_ROUNDS = 1_000;
/** crypt(3) takes no longer password, in bytes (CRYPT_MAX_PASSPHRASE_SIZE of libxcrypt), and each round reads it. */
const MAXIMUM_PASSWORD_BYTES = 512;
/** How long one turn of the event loop may be held: the rounds are many small hashes on the main thread. */
const SLICE_MILLISECONDS = 1;

type Digest = "sha256" | "sha512";

/** SHA-crypt, `$5$` and `$6$`, as in /etc/shadow and passlib. */
export const shaCryptFormat: PasswordFormat = (text) => {
  const match = PATTERN.exec(text);
  if (!match) return undefined;
  const [, id, roundsText, salt = "", expected = ""] = match;
  if (expected.length !== (id === "5" ? 43 : 86)) return undefined;
  const rounds = Number(roundsText ?? DEFAULT_ROUNDS);
  // The specification raises a smaller number to 1,000 and writes 1,000; so a smaller one was not written by it.
  if (rounds < MINIMUM_ROUNDS || rounds > COST_LIMITS.shaCryptRounds) return "unsafe";
  const digest: Digest = id === "5" ? "sha256" : "sha512";
  return {
    format: `${digest}-crypt`,
    verify: async (password) => {
      if (password.length > MAXIMUM_PASSWORD_BYTES) return false;
      const actual = await shaCrypt(digest, password, Buffer.from(salt), rounds);
      return equalBytes(Buffer.from(actual), Buffer.from(expected));
    },
  };
};

/** The last part of the hash, in the algorithm's own base64. */
async function shaCrypt(digest: Digest, password: Buffer, salt: Buffer, rounds: number): Promise<string> {
  const sha = (...parts: Buffer[]): Buffer => hash(digest, Buffer.concat(parts), "buffer");

  const b = sha(password, salt, password); // steps 4–8
  const start = [password, salt, repeat(b, password.length)]; // steps 1–3, 9, 10
  for (let n = password.length; n > 0; n >>= 1) start.push(n & 1 ? b : password); // step 11
  let c = sha(...start); // step 12

  const p = repeat(sha(...Array<Buffer>(password.length).fill(password)), password.length); // steps 13–16
  const first = c[0] ?? 0;
  const s = repeat(sha(...Array<Buffer>(16 + first).fill(salt)), salt.length); // steps 17–20

  let sliceEnd = performance.now() + SLICE_MILLISECONDS;
  for (let round = 0; round < rounds; round++) {
    // step 21
    const parts = [round & 1 ? p : c];
    if (round % 3) parts.push(s);
    if (round % 7) parts.push(p);
    parts.push(round & 1 ? c : p);
    c = sha(...parts);
    if (round % 64 === 0 && performance.now() > sliceEnd) {
      await nextTurn();
      sliceEnd = performance.now() + SLICE_MILLISECONDS;
    }
  }
  return encode(c, digest); // step 22
}

/** The block over and over, cut to `length` bytes. */
function repeat(block: Buffer, length: number): Buffer {
  return Buffer.alloc(length, block);
}

/**
 * Step 22e: groups of three bytes, taken a third of the hash apart and rotating, are written with the lowest six
 * bits first.
 */
function encode(bytes: Buffer, digest: Digest): string {
  const third = digest === "sha256" ? 10 : 21;
  const at = (index: number): number => bytes[index] ?? 0;
  let text = "";
  for (let i = 0; i < third; i++) {
    const [x, y, z] = [at(i), at(i + third), at(i + 2 * third)];
    // SHA-256 rotates to the right (0,10,20 · 21,1,11 · 12,22,2), SHA-512 to the left (0,21,42 · 22,43,1 · 44,2,23).
    const turn = digest === "sha256" ? (3 - (i % 3)) % 3 : i % 3;
    const [high = 0, middle = 0, low = 0] = [
      [x, y, z],
      [y, z, x],
      [z, x, y],
    ][turn] ?? [x, y, z];
    text += sixBits((high << 16) | (middle << 8) | low, 4);
  }
  return text + (digest === "sha256" ? sixBits((at(31) << 8) | at(30), 3) : sixBits(at(63), 2));
}

function sixBits(value: number, characters: number): string {
  let text = "";
  for (let i = 0; i < characters; i++) text += ALPHABET[(value >> (6 * i)) & 63];
  return text;
}
