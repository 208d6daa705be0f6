/**
 * Waits for everything, also when something fails: what goes on in a transaction must not outlive it.
 *
 * @throws the first failure, in the order given.
 */
export async function allDone<const T extends readonly Promise<unknown>[]>(
  work: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(work);
  return Promise.all(work) as Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }>;
}
