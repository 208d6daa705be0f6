import { randomBytes } from "node:crypto";
import { type FileHandle, link, mkdir, open, rename, unlink } from "node:fs/promises";
import { dirname } from "node:path";

/** In bytes: AES-256. */
export const MASTER_KEY_BYTES = 32;

/**
 * The key under which everything that must be read back is sealed. It comes from `fromEnv` (OSTIARY_MASTER_KEY), else
 * from `file`, which is created with mode 0600 when it does not exist. Processes that start together agree on one key.
 *
 * @throws Error, in a sentence for the operator, when the key is malformed or others may read the file
 */
export async function loadMasterKey(source: { fromEnv?: string; file: string }): Promise<Buffer> {
  if (source.fromEnv !== undefined && source.fromEnv.trim() !== "") {
    return parseMasterKey(source.fromEnv, "OSTIARY_MASTER_KEY");
  }
  return (await readKeyFile(source.file)) ?? (await createKeyFile(source.file));
}

/**
 * Reads 32 bytes written as base64, base64url (43 or 44 characters) or hexadecimal (64 characters).
 *
 * @param origin names the source in the error; the text itself is never quoted
 */
export function parseMasterKey(text: string, origin: string): Buffer {
  const trimmed = text.trim();
  if (/^[0-9a-fA-F]{64}$/.test(trimmed)) return Buffer.from(trimmed, "hex");
  const key = /^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed) ? Buffer.from(trimmed, "base64") : undefined;
  if (key?.length === MASTER_KEY_BYTES) return key;
  throw new Error(
    `${origin} must hold 32 random bytes in base64 or hexadecimal. Make some with: openssl rand -base64 32`,
  );
}

async function readKeyFile(path: string): Promise<Buffer | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch (error) {
    if (isCode(error, "ENOENT")) return undefined;
    throw error;
  }
  try {
    const { mode } = await file.stat(); // of what was opened, so that the file cannot be exchanged in between
    if (mode & 0o077) {
      throw new Error(
        `The master key file ${path} can be read or changed by other accounts (mode ${(mode & 0o777).toString(8)}). ` +
          `Run: chmod 600 ${path}. If others may have read it, change the key as well.`,
      );
    }
    return parseMasterKey(await file.readFile("utf8"), `The master key file ${path}`);
  } finally {
    await file.close();
  }
}

/** Written aside and then linked: the name appears with its whole content, and only the first of two writers wins. */
async function createKeyFile(path: string): Promise<Buffer> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const aside = await writeKeyAside(path);
  try {
    await link(aside, path);
    await syncFolder(dirname(path));
  } catch (error) {
    if (!isCode(error, "EEXIST")) throw error;
  } finally {
    await unlink(aside);
  }
  const key = await readKeyFile(path);
  if (!key) throw new Error(`The master key file ${path} disappeared while it was created`);
  return key;
}

/** Puts a new random key in the place of the one in the file, at once: a reader sees the old or the new one, whole. */
export async function replaceKeyFile(path: string): Promise<void> {
  await rename(await writeKeyAside(path), path);
  await syncFolder(dirname(path));
}

async function writeKeyAside(path: string): Promise<string> {
  const aside = `${path}.${process.pid}.${randomBytes(6).toString("hex")}`;
  const file = await open(aside, "wx", 0o600);
  try {
    await file.writeFile(`${randomBytes(MASTER_KEY_BYTES).toString("base64")}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  return aside;
}

/** A power cut must not lose the key of data that was sealed with it. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
