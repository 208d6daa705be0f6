import { closeSync, constants, mkdirSync, openSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ROOT, say } from "./run.mjs";

/** macOS open(2); Node has no name for it. */
const O_EXLOCK = 0x20;

/**
 * Runs `work` while no other script of this clone does. The kernel keeps the lock (an abstract socket on Linux, a
 * locked file elsewhere), so a killed script leaves none behind.
 */
export async function alone(name, work) {
  let release = await tryLock(name);
  if (!release) say("waiting for another set-up of this clone to finish");
  while (!release) {
    await sleep(200);
    release = await tryLock(name);
  }
  try {
    return await work();
  } finally {
    release();
  }
}

function tryLock(name) {
  return process.platform === "linux" ? tryAbstractSocket(name) : tryLockedFile(name);
}

function tryAbstractSocket(name) {
  const { dev, ino } = statSync(ROOT);
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", (error) => (error.code === "EADDRINUSE" ? resolve(undefined) : reject(error)));
    server.listen(`\0ostiary-${name}-${dev}-${ino}`, () => resolve(() => server.close()));
  });
}

async function tryLockedFile(name) {
  mkdirSync(join(ROOT, ".cache"), { recursive: true });
  try {
    const flags = constants.O_RDONLY | constants.O_CREAT | constants.O_NONBLOCK | O_EXLOCK;
    const file = openSync(join(ROOT, `.cache/${name}.lock`), flags, 0o600);
    return () => closeSync(file);
  } catch (error) {
    if (error.code === "EAGAIN") return undefined;
    throw error;
  }
}
