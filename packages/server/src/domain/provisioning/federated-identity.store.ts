import type { Queryable, Transaction } from "../../platform/database/types.ts";

export interface FederatedIdentity {
  kind: string;
  subject: string;
}

/** Ids of the users that have one of the identities; in any realm when none is named. */
export async function selectFederatedUsers(
  database: Queryable,
  tenantId: string,
  provider: string,
  realm: string,
  identities: readonly FederatedIdentity[],
): Promise<string[]> {
  const rows = await database.query<{ userId: string }>(
    `select distinct f.user_id as "userId" from federated_identities f
      where f.tenant_id = $1 and f.provider = $2 and ($3 = '' or f.realm in ('', $3))
        and (f.kind, f.subject) in (select * from unnest($4::text[], $5::text[]))`,
    [tenantId, provider, realm, identities.map(({ kind }) => kind), identities.map(({ subject }) => subject)],
  );
  return rows.map(({ userId }) => userId);
}

/** Adds identities of kinds that the user has not yet in this realm; those that are there stay. */
export async function insertFederatedIdentities(
  tx: Transaction,
  tenantId: string,
  userId: string,
  provider: string,
  realm: string,
  identities: readonly FederatedIdentity[],
  now: Date,
): Promise<number> {
  const rows = await tx.query(
    `insert into federated_identities (tenant_id, provider, realm, kind, subject, user_id, created_at)
     select $1, $2, $3, i.kind, i.subject, $4, $5 from unnest($6::text[], $7::text[]) as i(kind, subject)
      where not exists (select 1 from federated_identities f where f.tenant_id = $1 and f.user_id = $4
                           and f.provider = $2 and f.realm = $3 and f.kind = i.kind)
     on conflict do nothing returning kind`,
    [
      tenantId,
      provider,
      realm,
      userId,
      now,
      identities.map(({ kind }) => kind),
      identities.map(({ subject }) => subject),
    ],
  );
  return rows.length;
}

export function selectIdentitiesOfUser(
  database: Queryable,
  tenantId: string,
  userId: string,
  provider: string,
): Promise<(FederatedIdentity & { realm: string })[]> {
  return database.query(
    `select realm, kind, subject from federated_identities
      where tenant_id = $1 and user_id = $2 and provider = $3 order by created_at, realm, kind`,
    [tenantId, userId, provider],
  );
}
