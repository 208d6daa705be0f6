const MASK = "******";
/** A key is secret when its lowercase name contains one of these; the list of bkpaas_auth 4.x. */
const SECRET_NAMES = [
  "password",
  "secret",
  "passwd",
  "api_key",
  "apikey",
  "bk_token",
  "bk_ticket",
  "access_token",
  "auth",
  "credentials",
];

/**
 * A copy of `data` for a log line: every value below a secret-sounding key is `******`. Arrays are looked into as well,
 * which bkpaas_auth does not do. The input stays as it is; anything but an object or an array is returned unchanged.
 *
 * @example scrubData({ bk_app_secret: "s", user: { name: "tom" } }); // { bk_app_secret: "******", user: { name: "tom" } }
 */
export function scrubData<T>(data: T): T {
  return scrub(data, new WeakMap()) as T;
}

function scrub(value: unknown, seen: WeakMap<object, unknown>): unknown {
  if (typeof value !== "object" || value === null) return value;
  const known = seen.get(value);
  if (known !== undefined) return known; // a cycle, or the same object once more
  if (Array.isArray(value)) {
    const copy: unknown[] = [];
    seen.set(value, copy);
    for (const item of value) copy.push(scrub(item, seen));
    return copy;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value; // a Date, an Error: no mapping of keys
  const copy: Record<string, unknown> = {};
  seen.set(value, copy);
  for (const [key, item] of Object.entries(value)) copy[key] = isSecret(key) ? MASK : scrub(item, seen);
  return copy;
}

function isSecret(key: string): boolean {
  const name = key.toLowerCase();
  return SECRET_NAMES.some((part) => name.includes(part));
}
