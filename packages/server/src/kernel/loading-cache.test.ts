import { describe, expect, it } from "vitest";
import { LoadingCache } from "./loading-cache.ts";

/** A load that ends when the test says so. */
function gate<T>() {
  let open: (value: T) => void = () => {};
  const promise = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { load: () => promise, open };
}

describe("a loading cache", () => {
  it("answers a kept value without waiting", async () => {
    const cache = new LoadingCache<number>(10);
    await cache.get("a", async () => 1);
    expect(cache.get("a", async () => 2)).toBe(1);
  });

  it("loads once for many who ask at the same time", async () => {
    const cache = new LoadingCache<number>(10);
    let loads = 0;
    const load = async () => ++loads;
    expect(await Promise.all([cache.get("a", load), cache.get("a", load), cache.get("a", load)])).toEqual([
      1, 1, 1,
    ]);
  });

  it("does not keep what was read before an invalidation that came while reading", async () => {
    const cache = new LoadingCache<number>(10);
    const old = gate<number>();
    const reading = cache.get("a", old.load);
    cache.invalidate("a");
    const fresh = cache.get("a", async () => 2);
    old.open(1);
    expect(await reading).toBe(1);
    expect(await fresh).toBe(2);
    expect(cache.peek("a")).toBe(2);
  });

  it("keeps nothing that was being read when everything was dropped", async () => {
    const cache = new LoadingCache<number>(10);
    const old = gate<number>();
    const reading = cache.get("a", old.load);
    cache.clear();
    old.open(1);
    await reading;
    expect(cache.peek("a")).toBeUndefined();
  });

  it("keeps nothing while it is switched off, and no failures", async () => {
    let on = false;
    const cache = new LoadingCache<number>(10, () => on);
    await cache.get("a", async () => 1);
    expect(cache.peek("a")).toBeUndefined();
    on = true;
    await expect(
      cache.get("a", async () => {
        throw new Error("no");
      }),
    ).rejects.toThrow("no");
    expect(await cache.get("a", async () => 3)).toBe(3);
  });

  it("never holds more than its capacity", async () => {
    const cache = new LoadingCache<number>(3);
    for (let i = 0; i < 10; i++) await cache.get(String(i), async () => i);
    expect(cache.size).toBe(3);
    expect(cache.peek("9")).toBe(9);
    expect(cache.peek("0")).toBeUndefined();
  });
});
