import { createHash } from "node:crypto";
import type { BreachedPasswords } from "./breached-passwords.ts";

const TIMEOUT_MILLISECONDS = 1_500;
/** A padded answer has about 60 kB. */
const MOST_BYTES = 1_048_576;

/**
 * A service that answers `GET <address>/<first five characters of the SHA-1>` with the rest of each hash that it knows
 * and how often it was seen, one a line: Have I Been Pwned's range API
 * (https://haveibeenpwned.com/API/v3#PwnedPasswords), or a copy of it in one's own network. The service does not
 * learn the password: some 800 that it knows begin alike, and padding hides how many.
 *
 * A service that is away lets the password pass: nobody could choose one otherwise.
 *
 * @param options.onFailure - is told why, never the password or its hash.
 */
export function createBreachedPasswordsRange(
  address: string,
  options: { onFailure: (error: unknown) => void },
): BreachedPasswords {
  return {
    async isBreached(password) {
      const hash = createHash("sha1").update(password).digest("hex").toUpperCase();
      try {
        return isListed(await readRange(`${address}/${hash.slice(0, 5)}`), hash.slice(5));
      } catch (error) {
        options.onFailure(error);
        return false;
      }
    },
  };
}

async function readRange(url: string): Promise<string> {
  const response = await fetch(url, {
    headers: { "add-padding": "true", "user-agent": "Ostiary" },
    redirect: "error",
    signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
  });
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.length;
    if (bytes > MOST_BYTES) throw new Error("the answer is too long");
    parts.push(part);
  }
  if (!response.ok) throw new Error(`answered ${response.status}`);
  return Buffer.concat(parts).toString("latin1");
}

/** Padding has the count 0. */
function isListed(range: string, rest: string): boolean {
  return range.split(/\r?\n/).some((line) => {
    const [suffix = "", count = "1"] = line.split(":");
    return suffix.toUpperCase() === rest && Number(count) !== 0;
  });
}
