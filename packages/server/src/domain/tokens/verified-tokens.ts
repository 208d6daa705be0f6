import { cachePerServer, type Deps } from "../deps.ts";

/** Tokens whose signature was checked; about 1.5 kB each. */
const CAPACITY = 50_000;

/** Characters at a token's end, in its signature: enough to tell any two apart. */
const KEY_LENGTH = 43;

/**
 * Verified tokens. Only what can never change is kept, so entries go only for want of room. They are found by their
 * last characters, because a map hashes the whole of a key that it has not seen, and then compared as a whole.
 */
export class VerifiedTokens<Claims extends { tenantId: string }> {
  readonly #entries = new Map<string, { token: string; claims: Claims }>();

  find(tenantId: string, token: string): Claims | undefined {
    const entry = this.#entries.get(token.slice(-KEY_LENGTH));
    return entry?.token === token && entry.claims.tenantId === tenantId ? entry.claims : undefined;
  }

  keep(token: string, claims: Claims): void {
    if (this.#entries.size >= CAPACITY) {
      const oldest = this.#entries.keys().next();
      if (!oldest.done) this.#entries.delete(oldest.value);
    }
    this.#entries.set(token.slice(-KEY_LENGTH), { token, claims });
  }

  forget(token: string): void {
    this.#entries.delete(token.slice(-KEY_LENGTH));
  }

  clear(): void {
    this.#entries.clear();
  }
}

/** One map for each server, which forgets when keys change: one may have been removed because it leaked. */
export function verifiedTokensOf<Claims extends { tenantId: string }>(): (
  deps: Deps,
) => VerifiedTokens<Claims> {
  return cachePerServer(
    () => new VerifiedTokens<Claims>(),
    (tokens, noun) => {
      if (noun === "signing-keys") tokens.clear();
    },
  );
}
