import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";

/** Knows passwords that attackers know. */
export interface BreachedPasswords {
  isBreached(password: string): Promise<boolean>;
}

/** What one of several sources knows; asked in their order. */
export function anyBreachedPasswords(sources: readonly BreachedPasswords[]): BreachedPasswords {
  return {
    isBreached: async (password) => {
      for (const source of sources) if (await source.isBreached(password)) return true;
      return false;
    },
  };
}

/** No line of the file is longer, in bytes: 40 hexadecimal characters, a colon, a count. */
const LONGEST_LINE = 64;

/**
 * A file of upper- or lowercase hexadecimal SHA-1 hashes, one a line, sorted, each optionally followed by ":count":
 * what Have I Been Pwned's downloader writes (https://haveibeenpwned.com/Passwords). The file may be larger than
 * memory; a look-up reads some forty lines of it.
 *
 * @throws the file system's error when the file cannot be opened or read, Error when it is not such a file
 */
export function createBreachedPasswordsFile(path: string): BreachedPasswords {
  return {
    async isBreached(password) {
      const wanted = createHash("sha1").update(password).digest("hex").toUpperCase();
      await using file = await open(path, "r");
      return await hasLine(file, wanted); // the file stays open until then
    },
  };
}

async function hasLine(file: FileHandle, wanted: string): Promise<boolean> {
  let low = 0;
  let high = (await file.stat()).size;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const line = await lineFrom(file, low, middle);
    if (line === undefined) {
      high = middle; // only the rest of a line stands after the middle
    } else if (line.hash === wanted) {
      return true;
    } else if (line.hash < wanted) {
      low = line.end;
    } else {
      high = middle;
    }
  }
  return false;
}

/** The first line that begins at `position` or after it; lines begin at `start` and after each newline. */
async function lineFrom(
  file: FileHandle,
  start: number,
  position: number,
): Promise<{ hash: string; end: number } | undefined> {
  const from = Math.max(start, position - 1);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(2 * LONGEST_LINE), 0, 2 * LONGEST_LINE, from);
  const text = buffer.toString("latin1", 0, bytesRead);
  const begin = from === start ? 0 : text.indexOf("\n") + 1;
  const hash = text.slice(begin, begin + 40).toUpperCase();
  if (hash.trim() === "" || (from !== start && begin === 0 && bytesRead < LONGEST_LINE)) return undefined;
  if (!/^[0-9A-F]{40}$/.test(hash))
    throw new Error("The file of breached passwords is not a list of SHA-1 hashes");
  const newline = text.indexOf("\n", begin);
  return { hash, end: from + (newline === -1 ? bytesRead : newline + 1) };
}
