import { IdentityError, type Webhook, type WebhookFormat } from "@ostiary/contracts";
import type { Queryable, Transaction } from "../../platform/database/types.ts";
import { violatedConstraint } from "../../platform/database/unique-violation.ts";

/** A webhook as the rules need it: with what is sealed. */
export interface StoredWebhook {
  tenantId: string;
  id: string;
  applicationId: string | null;
  name: string;
  url: string;
  events: string[];
  format: WebhookFormat;
  sealedSecret: Buffer | null;
  sealedHeaders: Buffer | null;
  timeoutSeconds: number;
  status: Webhook["status"];
  failures: number;
  version: number;
  createdAt: Date;
  updatedAt: Date;
}

const COLUMNS = `tenant_id as "tenantId", id, application_id as "applicationId", name, url, events, format,
  sealed_secret as "sealedSecret", sealed_headers as "sealedHeaders", timeout_seconds as "timeoutSeconds", status,
  failures, version, created_at as "createdAt", updated_at as "updatedAt"`;

export interface WebhookFilter {
  search?: string | undefined;
  applicationId?: string | undefined;
}

/** Newest first, only ids below `after`. */
export function selectWebhooks(
  database: Queryable,
  tenantId: string,
  filter: WebhookFilter,
  after: string | undefined,
  limit: number,
): Promise<StoredWebhook[]> {
  return database.query<StoredWebhook>(
    `select ${COLUMNS} from webhooks
      where tenant_id = $1 and ($2::text is null or id < $2)
        and ($3::text is null or position(lower($3) in lower(name || ' ' || url)) > 0)
        and ($4::text is null or application_id = $4)
      order by id desc limit $5`,
    [tenantId, after ?? null, filter.search ?? null, filter.applicationId ?? null, limit],
  );
}

export async function selectWebhook(
  database: Queryable,
  tenantId: string,
  id: string,
): Promise<StoredWebhook | undefined> {
  const [row] = await database.query<StoredWebhook>(
    `select ${COLUMNS} from webhooks where tenant_id = $1 and id = $2`,
    [tenantId, id],
  );
  return row;
}

export async function lockWebhook(
  tx: Transaction,
  tenantId: string,
  id: string,
): Promise<StoredWebhook | undefined> {
  const [row] = await tx.query<StoredWebhook>(
    `select ${COLUMNS} from webhooks where tenant_id = $1 and id = $2 for no key update`,
    [tenantId, id],
  );
  return row;
}

/** The one with this address, format and application. */
export async function selectWebhookByTarget(
  database: Queryable,
  tenantId: string,
  target: { applicationId: string | null; url: string; format: WebhookFormat },
): Promise<StoredWebhook | undefined> {
  const [row] = await database.query<StoredWebhook>(
    `select ${COLUMNS} from webhooks
      where tenant_id = $1 and coalesce(application_id, '') = coalesce($2::text, '') and url = $3 and format = $4`,
    [tenantId, target.applicationId, target.url, target.format],
  );
  return row;
}

export function selectActiveWebhooks(
  database: Queryable,
  tenantIds: readonly string[],
): Promise<StoredWebhook[]> {
  return database.query<StoredWebhook>(
    `select ${COLUMNS} from webhooks where tenant_id = any($1) and status = 'active'`,
    [tenantIds],
  );
}

export async function hasActiveWebhook(database: Queryable, tenantId: string): Promise<boolean> {
  const rows = await database.query(
    "select 1 as one from webhooks where tenant_id = $1 and status = 'active' limit 1",
    [tenantId],
  );
  return rows.length > 0;
}

export type WebhookValues = Pick<
  StoredWebhook,
  "name" | "url" | "events" | "sealedSecret" | "sealedHeaders" | "timeoutSeconds" | "status"
>;

/** @throws IdentityError `webhook.target_taken`, `application.not_found`, `tenant.not_found` */
export async function insertWebhook(
  tx: Transaction,
  tenantId: string,
  webhook: WebhookValues & Pick<StoredWebhook, "id" | "applicationId" | "format">,
  now: Date,
): Promise<StoredWebhook> {
  const [row] = await tx
    .query<StoredWebhook>(
      `insert into webhooks (tenant_id, id, application_id, name, url, events, format, sealed_secret, sealed_headers,
                             timeout_seconds, status, created_at, updated_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12) returning ${COLUMNS}`,
      [
        tenantId,
        webhook.id,
        webhook.applicationId,
        webhook.name,
        webhook.url,
        webhook.events,
        webhook.format,
        webhook.sealedSecret,
        webhook.sealedHeaders,
        webhook.timeoutSeconds,
        webhook.status,
        now,
      ],
    )
    .catch(translate);
  if (!row) throw new Error("insert returned no row");
  return row;
}

function translate(error: unknown): never {
  const constraint = violatedConstraint(error);
  if (constraint === undefined) throw error;
  if (constraint === "webhooks_target") throw new IdentityError("webhook.target_taken", { cause: error });
  if (constraint.includes("application_id"))
    throw new IdentityError("application.not_found", { cause: error });
  throw new IdentityError("tenant.not_found", { cause: error });
}

/** @throws IdentityError `webhook.target_taken`, `webhook.not_found` */
export async function updateWebhookRow(
  tx: Transaction,
  tenantId: string,
  id: string,
  values: WebhookValues,
  now: Date,
): Promise<StoredWebhook> {
  const [row] = await tx
    .query<StoredWebhook>(
      `update webhooks set name = $3, url = $4, events = $5, sealed_secret = $6, sealed_headers = $7,
              timeout_seconds = $8, status = $9, updated_at = $10, version = version + 1
        where tenant_id = $1 and id = $2 returning ${COLUMNS}`,
      [
        tenantId,
        id,
        values.name,
        values.url,
        values.events,
        values.sealedSecret,
        values.sealedHeaders,
        values.timeoutSeconds,
        values.status,
        now,
      ],
    )
    .catch(translate);
  if (!row) throw new IdentityError("webhook.not_found");
  return row;
}

export async function deleteWebhookRow(tx: Transaction, tenantId: string, id: string): Promise<void> {
  await tx.query("delete from webhooks where tenant_id = $1 and id = $2", [tenantId, id]);
}
