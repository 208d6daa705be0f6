import type { MessageChannel, MessageTemplateKey, MessageTemplateName } from "@ostiary/contracts";
import type { Queryable, Transaction } from "../../platform/database/types.ts";

export interface OwnWords {
  template: MessageTemplateName;
  channel: MessageChannel;
  locale: string;
  subject: string | null;
  text: string;
  html: string | null;
  version: number;
  updatedAt: Date;
}

const COLUMNS = `template, channel, locale, subject, text, html, version, updated_at as "updatedAt"`;

/** All words of a tenant; there are at most a few hundred. */
export function selectAllWords(database: Queryable, tenantId: string): Promise<OwnWords[]> {
  return database.query<OwnWords>(
    `select ${COLUMNS} from message_templates where tenant_id = $1 order by template, channel, locale`,
    [tenantId],
  );
}

/** Of one message in every language. */
export function selectWords(
  database: Queryable,
  tenantId: string,
  template: string,
  channel: MessageChannel,
): Promise<OwnWords[]> {
  return database.query<OwnWords>(
    `select ${COLUMNS} from message_templates where tenant_id = $1 and template = $2 and channel = $3
      order by locale`,
    [tenantId, template, channel],
  );
}

export async function countWords(tx: Transaction, tenantId: string): Promise<number> {
  const [row] = await tx.query<{ n: number }>(
    "select count(*)::int as n from message_templates where tenant_id = $1",
    [tenantId],
  );
  return row?.n ?? 0;
}

export async function writeWords(
  tx: Transaction,
  tenantId: string,
  words: Omit<OwnWords, "version" | "updatedAt">,
  now: Date,
): Promise<void> {
  await tx.query(
    `insert into message_templates (tenant_id, template, channel, locale, subject, text, html, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (tenant_id, template, channel, locale) do update
       set subject = excluded.subject, text = excluded.text, html = excluded.html,
           version = message_templates.version + 1, updated_at = excluded.updated_at`,
    [tenantId, words.template, words.channel, words.locale, words.subject, words.text, words.html, now],
  );
}

export async function deleteWords(
  tx: Transaction,
  tenantId: string,
  { template, channel, locale }: MessageTemplateKey,
): Promise<boolean> {
  const rows = await tx.query(
    `delete from message_templates where tenant_id = $1 and template = $2 and channel = $3 and locale = $4
     returning 1 as one`,
    [tenantId, template, channel, locale],
  );
  return rows.length === 1;
}
