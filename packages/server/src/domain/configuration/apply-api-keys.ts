import {
  type ApiKey,
  type ConfigurationApiKey,
  type ConfigurationTenant,
  type CreateApiKey,
  IdentityError,
} from "@ostiary/contracts";
import {
  adoptApiKey,
  createApiKey,
  getApiKey,
  hashApiKey,
  listApiKeys,
  updateApiKey,
} from "../api-keys/index.ts";
import { listApplications } from "../applications/index.ts";
import { resolveUser } from "./apply-users.ts";
import { selectApiKeyByHash } from "./configuration.store.ts";
import { differences, fieldsNamed } from "./differences.ts";
import { readKeyedHash } from "./keyed-hash.ts";
import { everyItem, forEachEntry, type TenantRun, wrongField } from "./run.ts";

type Owner = { userId: string | null; applicationId: string | null };

/** API keys by their value where the file has it, else by type, owner and name. */
export function applyApiKeys(
  run: TenantRun,
  entries: ConfigurationTenant["apiKeys"],
  path: string,
): Promise<void> {
  return forEachEntry(entries, path, (entry) => applyApiKey(run, entry));
}

async function applyApiKey(run: TenantRun, entry: ConfigurationApiKey): Promise<void> {
  const { key, hash: hashText, hint, user: _user, application: _application, type, ...values } = entry;
  if (key !== undefined && hashText !== undefined)
    throw wrongField("/hash", "stands for `key`: give one of them");
  const owner = await ownerOf(run, entry);
  const hash =
    hashText === undefined ? key && hashApiKey(run.deps, key) : readKeyedHash(run.deps, hashText, "/hash");
  const found = hash ? await findByHash(run, hash) : await findByName(run, entry, owner);
  if (!found) return makeApiKey(run, entry, owner, hashText === undefined ? undefined : hash || undefined);
  if (found.type !== type || found.userId !== owner.userId || found.applicationId !== owner.applicationId) {
    throw new IdentityError("api_key.key_taken", { reason: "the value is another owner's" });
  }
  const expiresAt = values.expiresAt == null ? values.expiresAt : new Date(values.expiresAt).toISOString();
  const wanted = { ...values, ...(expiresAt === undefined ? {} : { expiresAt }) };
  const fields = differences(found, wanted);
  if (fields.length > 0) await updateApiKey(run.deps, run.context, found.id, fieldsNamed(wanted, fields));
  run.report.updated(run.tenant, "apiKey", entry.name, fields);
}

async function makeApiKey(
  run: TenantRun,
  entry: ConfigurationApiKey,
  { userId, applicationId }: Owner,
  hash: Buffer | undefined,
): Promise<void> {
  const { key, hash: _hash, hint = "", user: _user, application: _application, ...values } = entry;
  const input: CreateApiKey = {
    ...values,
    ...(userId === null ? {} : { userId }),
    ...(applicationId === null ? {} : { applicationId }),
  };
  run.report.created(run.tenant, "apiKey", entry.name, Object.keys(entry));
  if (hash) {
    await adoptApiKey(run.deps, run.context, input, { hash, hint });
    return;
  }
  const made = await createApiKey(run.deps, run.context, input, { key });
  if (key !== undefined) return;
  run.report.generated.push({ tenant: run.tenant, kind: "apiKey", name: entry.name, secret: made.key });
}

async function ownerOf(run: TenantRun, entry: ConfigurationApiKey): Promise<Owner> {
  const owner = { user: entry.user, application: entry.application, global: undefined };
  for (const kind of ["user", "application"] as const) {
    if ((entry.type === kind) === (owner[kind] !== undefined)) continue;
    throw new IdentityError("api_key.owner_invalid", {
      fields: [{ path: `/${kind}`, message: `is needed by keys of type ${kind}, and by those only` }],
    });
  }
  return {
    userId: entry.user === undefined ? null : await resolveUser(run, entry.user, "/user"),
    applicationId: entry.application === undefined ? null : await findApplicationId(run, entry.application),
  };
}

export async function findApplicationId(run: TenantRun, key: string): Promise<string> {
  for await (const { id, slug } of everyItem((page) =>
    listApplications(run.deps, run.context, { ...page, search: key }),
  )) {
    if (slug === key) return id;
  }
  const fields = [{ path: "/application", message: `there is no application ${key}` }];
  throw new IdentityError("application.not_found", { fields });
}

async function findByHash(run: TenantRun, hash: Buffer): Promise<ApiKey | undefined> {
  const row = await selectApiKeyByHash(run.deps.database, hash);
  if (!row) return undefined;
  if (row.tenantId !== run.context.tenantId) throw new IdentityError("api_key.key_taken");
  return getApiKey(run.deps, run.context, row.id);
}

async function findByName(
  run: TenantRun,
  { type, name }: ConfigurationApiKey,
  { userId, applicationId }: Owner,
): Promise<ApiKey | undefined> {
  const filter = {
    type,
    search: name,
    ...(userId === null ? {} : { userId }),
    ...(applicationId === null ? {} : { applicationId }),
  };
  for await (const apiKey of everyItem((page) =>
    listApiKeys(run.deps, run.context, { ...page, ...filter }),
  )) {
    if (apiKey.name === name) return apiKey;
  }
  return undefined;
}
