import { expect, it } from "vitest";
import { TenantCache } from "./tenant-cache.ts";

const load = (value: { of: string } | null) => {
  const loader = async () => {
    loader.calls++;
    return value;
  };
  loader.calls = 0;
  return loader;
};

it("answers what it knows at once, and loads again after an invalidation", async () => {
  const cache = new TenantCache<{ of: string }>(10);
  const loader = load({ of: "a" });
  expect(await cache.get("a", "1", loader)).toEqual({ of: "a" });
  expect(cache.get("a", "1", loader)).toEqual({ of: "a" });
  cache.invalidate("1");
  await cache.get("a", "1", loader);
  expect(loader.calls).toBe(2);
});

it("never answers one tenant with another's, and lets none displace the other's", async () => {
  const cache = new TenantCache<{ of: string }>(10);
  const own = load({ of: "a" });
  const none = load(null);
  expect(await Promise.all([cache.get("b", "1", none), cache.get("a", "1", own)])).toEqual([
    null,
    { of: "a" },
  ]);
  await cache.get("a", "1", own);
  expect(await cache.get("b", "1", none)).toBeNull();
  expect(await cache.get("b", "1", load({ of: "b" }))).toEqual({ of: "b" });
  expect(cache.get("a", "1", own)).toEqual({ of: "a" });
});

it("does not keep what does not exist, nor anything while notices cannot arrive", async () => {
  const cache = new TenantCache<{ of: string }>(10);
  const missing = load(null);
  await cache.get("a", "1", missing);
  expect(await cache.get("a", "1", load({ of: "a" }))).toEqual({ of: "a" });
  const blind = new TenantCache<{ of: string }>(10, () => false);
  const loader = load({ of: "a" });
  await blind.get("a", "1", loader);
  await blind.get("a", "1", loader);
  expect(loader.calls).toBe(2);
});

it("drops a tenant's things together", async () => {
  const cache = new TenantCache<{ of: string }>(10);
  await cache.get("a", "1", load({ of: "a" }));
  await cache.get("b", "2", load({ of: "b" }));
  cache.invalidateTenant("a");
  expect(cache.get("a", "1", load({ of: "a" }))).toBeInstanceOf(Promise);
  expect(cache.get("b", "2", load({ of: "b" }))).toEqual({ of: "b" });
});
