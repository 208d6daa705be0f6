import type { ConfigurationMessageTemplate, ConfigurationTenant } from "@ostiary/contracts";
import { listMessageTemplates, writeMessageTemplate } from "../notifications/index.ts";
import { differences } from "./differences.ts";
import type { Reader } from "./export-lists.ts";
import { forEachEntry, type TenantRun } from "./run.ts";

/** A tenant's own words, by message, channel and language. */
export async function applyMessageTemplates(
  run: TenantRun,
  entries: ConfigurationTenant["messageTemplates"],
  path: string,
): Promise<void> {
  if (!entries?.length) return;
  const present = (await listMessageTemplates(run.deps, run.context)).filter(({ isOwn }) => isOwn);
  await forEachEntry(entries, path, async ({ template, channel, locale, ...given }) => {
    const words = { subject: null, html: null, ...given };
    const name = `${template}/${channel}/${locale}`;
    const found = present.find(
      (one) => one.template === template && one.channel === channel && one.locale === locale,
    );
    const fields = found ? differences(found, words) : [];
    if (!found || fields.length > 0) {
      await writeMessageTemplate(run.deps, run.context, { template, channel, locale }, words);
    }
    if (found) run.report.updated(run.tenant, "messageTemplate", name, fields);
    else run.report.created(run.tenant, "messageTemplate", name, Object.keys(given));
  });
}

export async function exportMessageTemplates({
  deps,
  context,
}: Reader): Promise<ConfigurationMessageTemplate[]> {
  const all = await listMessageTemplates(deps, context);
  return all
    .filter(({ isOwn }) => isOwn)
    .map(({ template, channel, locale, subject, text, html }) => ({
      template,
      channel,
      locale,
      ...(subject === null ? {} : { subject }),
      text,
      ...(html === null ? {} : { html }),
    }));
}
