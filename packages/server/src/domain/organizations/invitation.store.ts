import type { Invitation } from "@ostiary/contracts";
import type { Queryable, Transaction } from "../../platform/database/types.ts";

type InvitationRow = Omit<Invitation, "createdAt" | "updatedAt" | "expiresAt" | "acceptedAt"> & {
  createdAt: Date;
  updatedAt: Date;
  expiresAt: Date;
  acceptedAt: Date | null;
};

const COLUMNS = `id, unit_id as "unitId", email, position, sent, version, created_at as "createdAt",
  updated_at as "updatedAt", expires_at as "expiresAt", accepted_at as "acceptedAt", accepted_by as "acceptedBy",
  array(select case when r.namespace = 'default' then r.code else r.namespace || '/' || r.code end
          from roles r where r.tenant_id = i.tenant_id and r.id = any(i.role_ids) order by 1) as roles`;

function toInvitation(row: InvitationRow): Invitation {
  return {
    ...row,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
    expiresAt: row.expiresAt.toISOString(),
    acceptedAt: row.acceptedAt?.toISOString() ?? null,
  };
}

export async function insertInvitation(
  tx: Transaction,
  tenantId: string,
  values: Pick<Invitation, "id" | "unitId" | "email" | "position" | "sent"> & {
    roleIds: readonly string[];
    tokenHash: Buffer;
    expiresAt: Date;
  },
  now: Date,
): Promise<Invitation> {
  const { id, unitId, email, position, sent, roleIds, tokenHash, expiresAt } = values;
  const [row] = await tx.query<InvitationRow>(
    `insert into invitations as i (tenant_id, id, unit_id, email, position, sent, role_ids, token_hash, created_at,
                                   updated_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10) returning ${COLUMNS}`,
    [tenantId, id, unitId, email, position, sent, roleIds, tokenHash, now, expiresAt],
  );
  if (!row) throw new Error("an insertion without a row");
  return toInvitation(row);
}

export async function selectInvitation(
  database: Queryable,
  tenantId: string,
  id: string,
): Promise<Invitation | undefined> {
  const [row] = await database.query<InvitationRow>(
    `select ${COLUMNS} from invitations i where tenant_id = $1 and id = $2`,
    [tenantId, id],
  );
  return row && toInvitation(row);
}

/** Newest first, only ids below `after`. */
export async function selectInvitations(
  database: Queryable,
  tenantId: string,
  unitId: string | undefined,
  after: string | undefined,
  limit: number,
): Promise<Invitation[]> {
  const rows = await database.query<InvitationRow>(
    `select ${COLUMNS} from invitations i
      where tenant_id = $1 and ($2::text is null or unit_id = $2) and ($3::text is null or id < $3)
      order by id desc limit $4`,
    [tenantId, unitId ?? null, after ?? null, limit],
  );
  return rows.map(toInvitation);
}

export async function deleteInvitationRow(tx: Transaction, tenantId: string, id: string): Promise<boolean> {
  const rows = await tx.query<{ id: string }>(
    "delete from invitations where tenant_id = $1 and id = $2 returning id",
    [tenantId, id],
  );
  return rows.length === 1;
}

/** An offer that nobody has accepted yet. */
export async function selectOpenInvitation(
  database: Queryable,
  tenantId: string,
  tokenHash: Buffer,
  now: Date,
): Promise<(Invitation & { unitName: string | null }) | undefined> {
  const [row] = await database.query<InvitationRow & { unitName: string | null }>(
    `select ${COLUMNS},
            (select u.name from units u where u.tenant_id = i.tenant_id and u.id = i.unit_id) as "unitName"
       from invitations i where tenant_id = $1 and token_hash = $2 and accepted_at is null and expires_at > $3`,
    [tenantId, tokenHash, now],
  );
  return row && { ...toInvitation(row), unitName: row.unitName };
}

/**
 * Uses the invitation up, if it is one for this user that nobody has used. One statement decides the winner, so two
 * tabs cannot both accept.
 */
export async function consumeInvitation(
  tx: Transaction,
  tenantId: string,
  tokenHash: Buffer,
  userId: string,
  now: Date,
): Promise<(Invitation & { roleIds: string[] }) | undefined> {
  const [row] = await tx.query<InvitationRow & { roleIds: string[] }>(
    `update invitations i set accepted_at = $4, accepted_by = $3, version = version + 1, updated_at = $4
      where tenant_id = $1 and token_hash = $2 and accepted_at is null and expires_at > $4
        and (email is null or exists (
          select from users u where u.tenant_id = $1 and u.id = $3 and u.email_verified
             and lower(u.email) = lower(i.email)))
      returning ${COLUMNS}, role_ids as "roleIds"`,
    [tenantId, tokenHash, userId, now],
  );
  return row && { ...toInvitation(row), roleIds: row.roleIds };
}
