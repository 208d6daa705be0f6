import { setFlagsFromString } from "node:v8";

/**
 * Loads or starts something while V8's space for young objects stays as small as it begins (2 MiB).
 *
 * Starting makes much that lives as long as the process: modules, validators, routes. V8 takes what survives for a sign
 * that the space is too small, doubles it again and again to 64 MiB, and an idle process gives none of it back: a
 * quarter of its memory. Starting is no slower in a small one. Afterwards the space grows with what requests need, as
 * it does by default: V8 looks at the flag whenever it thinks of growing.
 */
export async function inSmallYoungSpace<T>(start: () => Promise<T>): Promise<T> {
  setFlagsFromString("--semi-space-growth-factor=1");
  try {
    return await start();
  } finally {
    setFlagsFromString("--semi-space-growth-factor=2");
  }
}
