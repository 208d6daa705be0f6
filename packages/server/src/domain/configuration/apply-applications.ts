import type { Application, ConfigurationApplication, ConfigurationTenant } from "@ostiary/contracts";
import { equalBytes } from "../../kernel/constant-time.ts";
import { checkPermission } from "../access/index.ts";
import {
  addSecret,
  adoptSecret,
  assignUser,
  checkClientSecret,
  createApplication,
  deleteSecret,
  findApplication,
  listApplications,
  listAssigned,
  unassignUser,
  updateApplication,
} from "../applications/index.ts";
import { resolveUser } from "./apply-users.ts";
import { selectSecrets } from "./configuration.store.ts";
import { differences, fieldsNamed } from "./differences.ts";
import { readKeyedHash } from "./keyed-hash.ts";
import { checkFixed, everyItem, forEachEntry, type TenantRun } from "./run.ts";

/** Applications by id or slug (`key` in the file). */
export async function applyApplications(
  run: TenantRun,
  entries: ConfigurationTenant["applications"],
  path: string,
): Promise<void> {
  if (!entries?.length) return;
  const present: Application[] = [];
  for await (const item of everyItem((page) => listApplications(run.deps, run.context, page))) {
    present.push(item);
  }
  await forEachEntry(entries, path, async (entry) => {
    const found = present.find(({ id }) => id === entry.id) ?? present.find(({ slug }) => slug === entry.key);
    if (found) await changeApplication(run, entry, found);
    else present.push(await makeApplication(run, entry));
  });
}

async function makeApplication(run: TenantRun, entry: ConfigurationApplication): Promise<Application> {
  const { key, id, serial, secret, secrets, users, name = key, ...values } = entry;
  const { application, secret: generated } = await createApplication(
    run.deps,
    run.context,
    { ...values, slug: key, name },
    { id, serial, secret: secret ?? (secrets ? null : undefined) },
  );
  await adoptSecrets(run, entry, application.id);
  run.report.created(run.tenant, "application", key, Object.keys(entry));
  if (secret === undefined && generated !== null) {
    run.report.generated.push({ tenant: run.tenant, kind: "application", name: key, secret: generated });
  }
  return application;
}

async function changeApplication(
  run: TenantRun,
  entry: ConfigurationApplication,
  found: Application,
): Promise<void> {
  const { key, id, serial, secret: _secret, secrets: _secrets, users: _users, ...values } = entry;
  checkFixed(found, { id, serial });
  const wanted = { slug: key, ...values };
  const fields = differences(found, wanted, ["settings"]);
  if (fields.length > 0) {
    await updateApplication(run.deps, run.context, found.id, fieldsNamed(wanted, fields));
  }
  if (await applySecret(run, entry, found.id)) fields.push("secret");
  if (await adoptSecrets(run, entry, found.id)) fields.push("secrets");
  run.report.updated(run.tenant, "application", key, fields);
}

/** The file's secret replaces all others, unless it is one of them. */
async function applySecret(
  run: TenantRun,
  { secret }: ConfigurationApplication,
  applicationId: string,
): Promise<boolean> {
  if (secret === undefined) return false;
  const { deps, context } = run;
  checkPermission(context, "application:write"); // before the comparison: its answer tells something
  const application = await findApplication(deps, context.tenantId, applicationId);
  if (application && checkClientSecret(deps, application, secret)) return false;
  for (const { id } of await selectSecrets(
    deps.database,
    context.tenantId,
    applicationId,
    deps.clock.now(),
  )) {
    await deleteSecret(deps, context, applicationId, id);
  }
  await addSecret(deps, context, applicationId, {}, secret);
  return true;
}

/** Adds the exported secrets that are not there. */
async function adoptSecrets(
  run: TenantRun,
  { secrets = [] }: ConfigurationApplication,
  applicationId: string,
): Promise<boolean> {
  const { deps, context } = run;
  const now = deps.clock.now();
  const present = secrets.length
    ? await selectSecrets(deps.database, context.tenantId, applicationId, now)
    : [];
  let changed = false;
  for (const [index, { hash: text, hint, expiresAt }] of secrets.entries()) {
    const hash = readKeyedHash(deps, text, `/secrets/${index}/hash`);
    const end = expiresAt == null ? null : new Date(expiresAt);
    if (present.some((one) => equalBytes(one.hash, hash)) || (end && end <= now)) continue;
    await adoptSecret(deps, context, applicationId, { hash, hint, expiresAt: end });
    changed = true;
  }
  return changed;
}

/** Who may use the applications; to be called when the users are there. */
export async function applyApplicationUsers(
  run: TenantRun,
  entries: ConfigurationTenant["applications"],
  path: string,
): Promise<void> {
  if (!entries?.some(({ users }) => users)) return;
  const ids = new Map<string, string>();
  for await (const { id, slug } of everyItem((page) => listApplications(run.deps, run.context, page))) {
    ids.set(slug, id);
  }
  await forEachEntry(entries, path, async (entry) => {
    const id = ids.get(entry.key);
    if (id === undefined || !(await applyAssignments(run, entry, id))) return;
    run.report.amended(run.tenant, "application", entry.key, "users");
  });
}

/** The users of the file, and no others. */
async function applyAssignments(
  run: TenantRun,
  { users }: ConfigurationApplication,
  applicationId: string,
): Promise<boolean> {
  if (!users) return false;
  const { deps, context } = run;
  const wanted = new Set<string>();
  for (const [index, name] of users.entries()) wanted.add(await resolveUser(run, name, `/users/${index}`));
  const present = new Set<string>();
  const assigned = everyItem((page) => listAssigned(deps, context, applicationId, page));
  for await (const { userId } of assigned) present.add(userId);
  const missing = [...wanted].filter((id) => !present.has(id));
  const extra = [...present].filter((id) => !wanted.has(id));
  for (const userId of missing) await assignUser(deps, context, applicationId, userId);
  for (const userId of extra) await unassignUser(deps, context, applicationId, userId);
  return missing.length + extra.length > 0;
}
