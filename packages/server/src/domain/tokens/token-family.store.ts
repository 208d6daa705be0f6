import type { Queryable, Transaction } from "../../platform/database/types.ts";

/** What the tokens of an authorization need and no column holds. */
export interface FamilyDetails {
  nonce?: string;
  /** The session of an offline grant whose application is told when that ends: `sid` of its ID tokens. */
  sid?: string;
  amr: string[];
  /** The administrator who acts as the user. */
  impersonatorId?: string;
  /** The `claims` parameter, as checked. */
  claims?: RequestedClaims;
}

/** OpenID Connect Core §5.5: names of the claims asked for. */
export interface RequestedClaims {
  userinfo?: string[];
  id_token?: string[];
}

/** One authorization of one application: what its code, its refresh token and all its access tokens share. */
export interface TokenFamily {
  id: string;
  applicationId: string;
  userId: string;
  /** Null for offline grants. */
  sessionId: string | null;
  scopes: string[];
  details: FamilyDetails;
  authenticatedAt: Date;
  /** Of the current refresh token; 0 where none was issued. */
  generation: number;
}

const FAMILY = `id, application_id as "applicationId", user_id as "userId", session_id as "sessionId", scopes,
  details, authenticated_at as "authenticatedAt", generation`;

export interface NewFamily extends Omit<TokenFamily, "generation"> {
  /** Null where the token was given without a code. */
  codeHash: Buffer | null;
  codeExpiresAt: Date | null;
  codeChallenge: string | null;
  redirectUri: string | null;
  createdAt: Date;
  /** When the row may be deleted: nothing of the family is valid any more. */
  expiresAt: Date;
}

export async function insertFamily(tx: Transaction, tenantId: string, family: NewFamily): Promise<void> {
  await tx.query(
    `insert into token_families (tenant_id, id, application_id, user_id, session_id, scopes, details,
       authenticated_at, code_hash, code_expires_at, code_challenge, redirect_uri, created_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7::jsonb, $8, $9, $10, $11, $12, $13, $14)`,
    [
      tenantId,
      family.id,
      family.applicationId,
      family.userId,
      family.sessionId,
      family.scopes,
      JSON.stringify(family.details),
      family.authenticatedAt,
      family.codeHash,
      family.codeExpiresAt,
      family.codeChallenge,
      family.redirectUri,
      family.createdAt,
      family.expiresAt,
    ],
  );
}

export interface CodeUse {
  familyId: string;
  codeHash: Buffer;
  applicationId: string;
  redirectUri: string | null;
  /** Computed from the verifier; null where none was sent. */
  codeChallenge: string | null;
  /** Null where the application gets no refresh token. */
  refreshExpiresAt: Date | null;
  /** At least; see `NewFamily.expiresAt`. */
  expiresAt: Date;
  now: Date;
}

/**
 * Redeems a code. One statement checks everything a code is bound to and decides between two redemptions.
 * `is not distinct from` also refuses a verifier for a code without challenge (RFC 9700 §4.8.2, PKCE downgrade).
 */
export async function consumeCode(
  database: Queryable,
  tenantId: string,
  use: CodeUse,
): Promise<TokenFamily | undefined> {
  const [family] = await database.query<TokenFamily>(
    `update token_families set code_used_at = $8, refresh_expires_at = $7,
            generation = case when $7::timestamptz is null then 0 else 1 end, expires_at = greatest(expires_at, $9)
      where tenant_id = $1 and id = $2 and code_hash = $3 and application_id = $4
        and (redirect_uri is null or redirect_uri = $5) and code_challenge is not distinct from $6
        and code_used_at is null and code_expires_at > $8 and revoked_at is null
      returning ${FAMILY}`,
    [
      tenantId,
      use.familyId,
      use.codeHash,
      use.applicationId,
      use.redirectUri,
      use.codeChallenge,
      use.refreshExpiresAt,
      use.now,
      use.expiresAt,
    ],
  );
  return family;
}

/** Whether this code was redeemed already. */
export async function isCodeUsed(
  database: Queryable,
  tenantId: string,
  familyId: string,
  codeHash: Buffer,
): Promise<boolean> {
  const rows = await database.query(
    "select 1 from token_families where tenant_id = $1 and id = $2 and code_hash = $3 and code_used_at is not null",
    [tenantId, familyId, codeHash],
  );
  return rows.length === 1;
}

export interface Rotation {
  tenantId: string;
  familyId: string;
  applicationId: string;
  generation: number;
  /** The scopes asked for: no more than the family's (RFC 6749 §6). */
  scopes: readonly string[];
  refreshExpiresAt: Date;
  expiresAt: Date;
}

/**
 * Rotates refresh tokens. The one statement that decides: of two uses of one generation, one updates the row, and only
 * its answer has the family. No indexed column changes (`expires_at` once a day), so rows are updated in place and
 * never grow. Each family at most once a call; in the order of their ids, so that two processes never wait for each
 * other.
 *
 * @returns in the order of `rotations`; undefined where the row did not allow it.
 */
export async function rotateFamilies(
  database: Queryable,
  rotations: readonly Rotation[],
  now: Date,
): Promise<(TokenFamily | undefined)[]> {
  const rows = await database.query<TokenFamily & { asked: number }>(
    `with asked as (
       select * from unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::timestamptz[], $6::timestamptz[], $7::text[])
         with ordinality as a(tenant_id, family_id, application_id, generation, refresh_expires_at, expires_at, scopes, n)
        order by family_id)
     update token_families f
        set generation = f.generation + 1, rotated_at = $8, refresh_expires_at = a.refresh_expires_at,
            expires_at = greatest(f.expires_at, a.expires_at)
       from asked a
      where f.tenant_id = a.tenant_id and f.id = a.family_id and f.application_id = a.application_id
        and f.generation = a.generation and f.revoked_at is null and f.refresh_expires_at > $8
        and f.scopes @> string_to_array(a.scopes, ' ')
      returning a.n as asked, f.id, f.application_id as "applicationId", f.user_id as "userId",
        f.session_id as "sessionId", f.scopes, f.details, f.authenticated_at as "authenticatedAt", f.generation`,
    [
      rotations.map((rotation) => rotation.tenantId),
      rotations.map((rotation) => rotation.familyId),
      rotations.map((rotation) => rotation.applicationId),
      rotations.map((rotation) => rotation.generation),
      rotations.map((rotation) => rotation.refreshExpiresAt),
      rotations.map((rotation) => rotation.expiresAt),
      rotations.map((rotation) => rotation.scopes.join(" ")),
      now,
    ],
  );
  const families = new Map(rows.map(({ asked, ...family }) => [asked, family]));
  return rotations.map((_, i) => families.get(i + 1));
}

export interface FamilyState extends TokenFamily {
  refreshExpiresAt: Date | null;
  createdAt: Date;
  revokedAt: Date | null;
}

export async function selectFamily(
  database: Queryable,
  tenantId: string,
  familyId: string,
): Promise<FamilyState | undefined> {
  const [family] = await database.query<FamilyState>(
    `select ${FAMILY}, refresh_expires_at as "refreshExpiresAt", created_at as "createdAt", revoked_at as "revokedAt"
       from token_families where tenant_id = $1 and id = $2`,
    [tenantId, familyId],
  );
  return family;
}

/** Ends a family. False when it has ended already, or has no row. */
export async function endFamily(
  tx: Transaction,
  tenantId: string,
  familyId: string,
  now: Date,
): Promise<boolean> {
  const rows = await tx.query(
    `update token_families set revoked_at = $3
      where tenant_id = $1 and id = $2 and revoked_at is null returning id`,
    [tenantId, familyId, now],
  );
  return rows.length === 1;
}

/** Client credentials leave no row; revoking such a token leaves one that says so, until the token has expired. */
export async function insertRevokedFamily(
  tx: Transaction,
  tenantId: string,
  family: { id: string; applicationId: string; now: Date; expiresAt: Date },
): Promise<boolean> {
  const rows = await tx.query(
    `insert into token_families (tenant_id, id, application_id, scopes, created_at, expires_at, revoked_at)
     values ($1, $2, $3, '{}', $4, $5, $4) on conflict do nothing returning id`,
    [tenantId, family.id, family.applicationId, family.now, family.expiresAt],
  );
  return rows.length === 1;
}

/** The job: deletes families of which no token is valid any more. @returns rows deleted, at most `limit`. */
export async function deleteExpiredFamilies(database: Queryable, now: Date, limit: number): Promise<number> {
  const rows = await database.query(
    `delete from token_families where (tenant_id, id) in
       (select tenant_id, id from token_families where expires_at < $1 limit $2) returning id`,
    [now, limit],
  );
  return rows.length;
}
