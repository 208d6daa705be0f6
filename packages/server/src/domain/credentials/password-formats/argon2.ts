import { hashRaw } from "@node-rs/argon2";
import { equalBytes } from "../../../kernel/constant-time.ts";
import {
  type Argon2Parameters,
  acceptableHashLength,
  COST_LIMITS,
  decodeBase64,
  type PasswordFormat,
} from "./password-format.ts";

// RFC 9106 §3.1 names the types; the text form is the PHC string format of the reference implementation. A missing
// version is 16 (0x10). Django puts its own "argon2" in front.
const PATTERN =
  /^(?:argon2)?\$argon2(id|i|d)(?:\$v=(16|19))?\$m=([1-9]\d{0,6}),t=([1-9]\d{0,4}),p=([1-9]\d{0,2})\$([A-Za-z0-9+/]{11,128})\$([A-Za-z0-9+/]{22,172})$/;

const ALGORITHMS = { d: 0, i: 1, id: 2 } as const;

/** `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`, argon2i, argon2d, version 16 and 19; Django's `argon2$argon2id$…`. */
export const argon2Format: PasswordFormat = (text) => {
  const match = PATTERN.exec(text);
  if (!match) return undefined;
  const [, type, version = "16", memory, iterations, parallelism, saltText = "", hashText = ""] = match;
  const salt = decodeBase64(saltText);
  const expected = decodeBase64(hashText);
  const parameters: Argon2Parameters = {
    memoryKiB: Number(memory),
    iterations: Number(iterations),
    parallelism: Number(parallelism),
    version: Number(version),
    saltBytes: salt.length,
    hashBytes: expected.length,
  };
  if (!isSafe(parameters) || !acceptableHashLength(expected)) return "unsafe";
  const algorithm = type === "id" ? ALGORITHMS.id : type === "i" ? ALGORITHMS.i : ALGORITHMS.d;
  return {
    format: `argon2${type}`,
    ...(type === "id" ? { argon2id: parameters } : {}),
    verify: async (password) => {
      const actual = await hashRaw(password, {
        algorithm,
        version: parameters.version === 19 ? 1 : 0,
        memoryCost: parameters.memoryKiB,
        timeCost: parameters.iterations,
        parallelism: parameters.parallelism,
        outputLen: expected.length,
        salt,
      });
      return equalBytes(actual, expected);
    },
  };
};

function isSafe({ memoryKiB, iterations, parallelism }: Argon2Parameters): boolean {
  return (
    parallelism <= COST_LIMITS.parallelism &&
    memoryKiB >= 8 * parallelism && // RFC 9106 §3.1
    memoryKiB <= COST_LIMITS.memoryKiB &&
    memoryKiB * iterations <= COST_LIMITS.memoryPassesKiB
  );
}
