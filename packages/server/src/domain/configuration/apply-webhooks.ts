import type { ConfigurationTenant, ConfigurationWebhook, Webhook } from "@ostiary/contracts";
import {
  createWebhook,
  findWebhookByTarget,
  revealWebhook,
  updateWebhook,
  type WebhookCredentials,
} from "../webhooks/index.ts";
import { findApplicationId } from "./apply-api-keys.ts";
import { differences, fieldsNamed } from "./differences.ts";
import { forEachEntry, type TenantRun, wrongField } from "./run.ts";
import { readSealed } from "./sealed-text.ts";

/** Webhooks by address, format and application. */
export function applyWebhooks(
  run: TenantRun,
  entries: ConfigurationTenant["webhooks"],
  path: string,
): Promise<void> {
  return forEachEntry(entries, path, (entry) => applyWebhook(run, entry));
}

async function applyWebhook(run: TenantRun, entry: ConfigurationWebhook): Promise<void> {
  const { application, sealed, secret, headers, ...values } = entry;
  if (sealed !== undefined && (secret !== undefined || headers !== undefined)) {
    throw wrongField("/sealed", "stands for `secret` and `headers`: give one of them");
  }
  const credentials: Partial<WebhookCredentials> =
    sealed === undefined
      ? { ...(secret === undefined ? {} : { secret }), ...(headers === undefined ? {} : { headers }) }
      : (JSON.parse(readSealed(run.deps, sealed, "/sealed")) as WebhookCredentials);
  const applicationId = application === undefined ? null : await findApplicationId(run, application);
  const format = entry.format ?? "native";
  const found = await findWebhookByTarget(run.deps, run.context, { applicationId, url: entry.url, format });
  if (found) return change(run, found, values, credentials);
  const made = await createWebhook(run.deps, run.context, {
    ...values,
    ...credentials,
    format,
    applicationId,
  });
  run.report.created(run.tenant, "webhook", entry.url, Object.keys(entry));
  if (made.secret === undefined) return;
  run.report.generated.push({ tenant: run.tenant, kind: "webhook", name: entry.url, secret: made.secret });
}

async function change(
  run: TenantRun,
  found: Webhook,
  { format: _format, ...values }: Omit<ConfigurationWebhook, "application" | "sealed" | "secret" | "headers">,
  credentials: Partial<WebhookCredentials>,
): Promise<void> {
  const hasCredentials = Object.keys(credentials).length > 0;
  const present = hasCredentials
    ? { ...found, ...(await revealWebhook(run.deps, run.context, found.id)) }
    : found;
  const wanted = { ...values, ...credentials };
  const fields = differences(present, wanted);
  if (fields.length > 0) await updateWebhook(run.deps, run.context, found.id, fieldsNamed(wanted, fields));
  run.report.updated(run.tenant, "webhook", found.url, fields);
}
