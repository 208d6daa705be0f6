import { closeSync, constants, openSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { EmbeddedPostgresError, errorCode } from "./errors.ts";

/** macOS `open(2)`: take an exclusive advisory lock with the file. Node has no name for it. */
const O_EXLOCK = 0x20;

/**
 * Runs `work` while no other process on this machine holds the lock of `directory`.
 *
 * The lock belongs to the kernel, so it cannot go stale: it is gone the moment its holder is, even by kill -9. On
 * Linux it is the name of an abstract Unix socket (unix(7)), on macOS an open file with `O_EXLOCK`.
 *
 * @param patience - how long to wait for the holder, in milliseconds.
 * @throws EmbeddedPostgresError when the lock is still held after `patience`.
 */
export async function withDirectoryLock<T>(
  directory: string,
  patience: number,
  work: () => Promise<T>,
): Promise<T> {
  const deadline = Date.now() + patience;
  let release = await tryLock(directory);
  while (!release) {
    if (Date.now() > deadline)
      throw new EmbeddedPostgresError(
        `Another process has been starting the database in ${directory} for ${Math.round(patience / 1000)} s. Stop it, then try again.`,
      );
    await sleep(20);
    release = await tryLock(directory);
  }
  try {
    return await work();
  } finally {
    await release();
  }
}

type Release = () => Promise<void>;

function tryLock(directory: string): Promise<Release | undefined> {
  return process.platform === "linux" ? tryAbstractSocket(directory) : tryLockedFile(directory);
}

function tryAbstractSocket(directory: string): Promise<Release | undefined> {
  const { dev, ino } = statSync(directory); // names the directory itself, whatever path leads to it
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", (error) => (errorCode(error) === "EADDRINUSE" ? resolve(undefined) : reject(error)));
    server.listen(`\0ostiary-${dev}-${ino}`, () =>
      resolve(() => new Promise((done) => server.close(() => done()))),
    );
  });
}

async function tryLockedFile(directory: string): Promise<Release | undefined> {
  try {
    const flags = constants.O_RDONLY | constants.O_CREAT | constants.O_NONBLOCK | O_EXLOCK;
    const file = openSync(join(directory, ".ostiary-lock"), flags, 0o600);
    return async () => closeSync(file);
  } catch (error) {
    if (errorCode(error) === "EAGAIN") return undefined;
    throw error;
  }
}
