/** Where the token is between two requests, and between two visits. */
export interface TokenStore {
  get(): string | null | Promise<string | null>;
  set(token: string | null): void | Promise<void>;
}

/** For as long as the page or the process lives; what nobody else can read is the safest place. */
export function memoryTokenStore(token: string | null = null): TokenStore {
  let current = token;
  return {
    get: () => current,
    set: (next) => {
      current = next;
    },
  };
}

/** `localStorage`, `sessionStorage`, or anything of their form. */
export interface StorageLike {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/**
 * Keeps the token in the browser, for all tabs. Any script of the page can read it there: use it only where a page must
 * survive a reload without a new sign-in.
 *
 * @example storageTokenStore(localStorage)
 */
export function storageTokenStore(storage: StorageLike, key = "ostiary.zibanu.token"): TokenStore {
  return {
    get: () => storage.getItem(key),
    set: (token) => (token === null ? storage.removeItem(key) : storage.setItem(key, token)),
  };
}
