import { randomBytes } from "node:crypto";
import type { Database } from "../database/types.ts";
import type { Sealer } from "./sealing.ts";

const NAME = "hash-key";
const PURPOSE = "installation:hash-key";

/**
 * The key of all keyed hashes: random, made once per installation, stored sealed. It is not the master key itself, so
 * that a new master key does not make every stored hash worthless.
 *
 * @returns 32 bytes; the same for every process, also when several make it at once.
 */
export async function loadHashKey(database: Database, sealer: Sealer): Promise<Buffer> {
  const fresh = sealer.seal(randomBytes(32), PURPOSE);
  await database.query("insert into installation (name, sealed) values ($1, $2) on conflict do nothing", [
    NAME,
    fresh,
  ]);
  const [row] = await database.query<{ sealed: Buffer }>("select sealed from installation where name = $1", [
    NAME,
  ]);
  if (!row) throw new Error("the hash key is missing from the table installation");
  return sealer.unseal(row.sealed, PURPOSE);
}
