import { addSeconds } from "../../kernel/clock.ts";
import { type Deps, onePerServer } from "../deps.ts";
import { passwordAccount } from "./attempts.ts";
import { selectSomeHashes } from "./password.store.ts";

/** How long the share of foreign hashes is believed, in seconds. */
const BELIEVED_SECONDS = 600;
/** Tenants that one process remembers; the oldest go first. */
const CAPACITY = 1_000;

interface Mixture {
  until: Date;
  /** Hashes that other systems have made, in an order that stays as they become fewer. */
  foreign: readonly string[];
  /** Of how many users. */
  of: number;
}

const mixturesOf = onePerServer(() => new Map<string, Mixture>());

/**
 * The hash to check a password against for a name that is nobody's; null: one of ours. Hashes that were imported take ten
 * times as long as ours or a tenth, and who is imported would be known by that. So names that are nobody's are divided as
 * the users of the tenant are; a name is always on the same side, unless users get hashes of ours meanwhile.
 */
export async function decoyHash(deps: Deps, tenantId: string, identifier: string): Promise<string | null> {
  const { foreign, of } = await mixtureOf(deps, tenantId);
  if (foreign.length === 0) return null;
  // A door that takes addresses only marks others with a null character: it is the same name at every door.
  const typed = passwordAccount(undefined, identifier.replaceAll("\0", ""));
  const name = `${tenantId} ${typed.toLowerCase()}`;
  const drawn = deps.secrets.keyedHash(name, "password-decoy").readUIntBE(0, 6) / 2 ** 48;
  return foreign[Math.floor(drawn * of)] ?? null;
}

async function mixtureOf(deps: Deps, tenantId: string): Promise<Mixture> {
  const mixtures = mixturesOf(deps);
  const known = mixtures.get(tenantId);
  const now = deps.clock.now();
  if (known && known.until > now) return known;
  const hashes = await selectSomeHashes(deps.database, tenantId);
  const foreign = hashes.filter((hash) => hash !== null).sort();
  const mixture = { foreign, of: hashes.length, until: addSeconds(now, BELIEVED_SECONDS) };
  mixtures.delete(tenantId);
  if (mixtures.size >= CAPACITY) mixtures.delete(mixtures.keys().next().value ?? "");
  mixtures.set(tenantId, mixture);
  return mixture;
}
