import { existsSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import type { Database } from "../database/types.ts";
import { loadMasterKey, parseMasterKey, replaceKeyFile } from "./master-key.ts";
import { createSealer, type MasterKeys, type Sealer } from "./sealing.ts";

/** Everything that is sealed in the database: the select gives the key, the sealed bytes and their purpose. */
const SEALED = [
  {
    select: `select name as key, sealed, 'installation:' || name as purpose from installation`,
    update: "update installation set sealed = $2 where name = $1 and sealed = $3 returning 1 as one",
  },
  {
    select: `select tenant_id || ' ' || kid as key, sealed_private as sealed,
                    'signing-key:' || tenant_id || ':' || kid as purpose
               from signing_keys where sealed_private is not null`,
    update: `update signing_keys set sealed_private = $2
              where tenant_id = split_part($1, ' ', 1) and kid = split_part($1, ' ', 2) and sealed_private = $3
              returning 1 as one`,
  },
  {
    select: `select tenant_id || ' ' || purpose || ' ' || kid as key, sealed_secret as sealed,
                    'dialect-key:' || tenant_id || ':' || purpose || ':' || kid as purpose
               from dialect_keys where sealed_secret is not null`,
    update: `update dialect_keys set sealed_secret = $2
              where tenant_id = split_part($1, ' ', 1) and purpose = split_part($1, ' ', 2)
                and kid = split_part($1, ' ', 3) and sealed_secret = $3
              returning 1 as one`,
  },
  sealedOf("webhooks", "sealed_secret", "webhook-secret"),
  sealedOf("webhooks", "sealed_headers", "webhook-headers"),
  sealedOf("feishu_bots", "sealed_secret", "feishu-bot"),
  sealedOf("outgoing_messages", "sealed_payload", "outgoing"),
  sealedOf("totp_authenticators", "sealed_secret", "totp"),
];

/** A sealed column of a table whose key is (tenant_id, id). */
function sealedOf(table: string, column: string, purpose: string): { select: string; update: string } {
  return {
    select: `select tenant_id || ' ' || id as key, ${column} as sealed,
                    '${purpose}:' || tenant_id || ':' || id as purpose
               from ${table} where ${column} is not null`,
    update: `update ${table} set ${column} = $2
              where tenant_id = split_part($1, ' ', 1) and id = split_part($1, ' ', 2) and ${column} = $3
              returning 1 as one`,
  };
}

const previousFile = (file: string) => `${file}.previous`;

/**
 * The master keys of an installation: from the variables, or from the key file and, while a re-key is unfinished,
 * the file of the key before.
 */
export async function loadMasterKeys(source: {
  fromEnv: string | undefined;
  previousFromEnv: readonly string[];
  file: string;
}): Promise<MasterKeys> {
  const current = await loadMasterKey(
    source.fromEnv === undefined ? { file: source.file } : { fromEnv: source.fromEnv, file: source.file },
  );
  const previous = source.previousFromEnv.map((key) => parseMasterKey(key, "OSTIARY_PREVIOUS_MASTER_KEYS"));
  const left = previousFile(source.file);
  if (source.fromEnv === undefined && existsSync(left)) previous.push(await loadMasterKey({ file: left }));
  return { current, previous };
}

/**
 * Replaces the key file by a new key and keeps the old one beside it until `finishFileRekey`. May be repeated after a
 * crash at any point: an unfinished replacement is continued, not begun again.
 */
export async function beginFileRekey(file: string): Promise<void> {
  const current = await readFile(file);
  if (!existsSync(previousFile(file)))
    await writeFile(previousFile(file), current, { mode: 0o600, flag: "wx", flush: true });
  if ((await readFile(previousFile(file))).equals(current)) {
    await replaceKeyFile(file);
  }
}

export async function finishFileRekey(file: string): Promise<void> {
  await rm(previousFile(file), { force: true });
}

/**
 * Seals under the current master key whatever is sealed under an older one. Row by row, so it may be interrupted and
 * run again, also beside servers that know both keys.
 *
 * @returns how many values were sealed anew.
 */
export async function resealEverything(database: Database, keys: MasterKeys): Promise<number> {
  const sealer: Sealer = createSealer(keys);
  let count = 0;
  for (const { select, update } of SEALED) {
    const rows = await database.query<{ key: string; sealed: Buffer; purpose: string }>(select);
    for (const { key, sealed, purpose } of rows) {
      if (!sealer.needsResealing(sealed)) continue;
      const fresh = sealer.seal(sealer.unseal(sealed, purpose), purpose);
      count += (await database.query(update, [key, fresh, sealed])).length;
    }
  }
  return count;
}
