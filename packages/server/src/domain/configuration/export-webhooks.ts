import type { ConfigurationWebhook, Webhook } from "@ostiary/contracts";
import { listWebhooks, revealWebhook } from "../webhooks/index.ts";
import { by, type Reader } from "./export-lists.ts";
import { everyItem } from "./run.ts";
import { writeSealed } from "./sealed-text.ts";

/** Secrets and headers are sealed, and only there when credentials are asked for. */
export async function exportWebhooks(
  { deps, context, credentials }: Reader,
  applications: ReadonlyMap<string, string>,
): Promise<ConfigurationWebhook[]> {
  const all: Webhook[] = [];
  for await (const webhook of everyItem((page) => listWebhooks(deps, context, page))) all.push(webhook);
  const entries: ConfigurationWebhook[] = [];
  for (const { id, name, url, events, format, applicationId, timeoutSeconds, status } of all) {
    const application = applicationId === null ? undefined : applications.get(applicationId);
    entries.push({
      url,
      name,
      events,
      format,
      ...(application === undefined ? {} : { application }),
      timeoutSeconds,
      status,
      ...(credentials
        ? { sealed: writeSealed(deps, JSON.stringify(await revealWebhook(deps, context, id))) }
        : {}),
    });
  }
  return entries.sort(by(({ application = "", url, format }) => `${application}/${url}/${format}`));
}
