import {
  type AccessGrant,
  type ConfigurationDelegation,
  type ConfigurationGrant,
  type ConfigurationTenant,
  type CreateAccessGrant,
  type Delegation,
  IdentityError,
  type Subject,
} from "@ostiary/contracts";
import {
  createAccessGrant,
  createDelegation,
  listAccessGrants,
  listDelegations,
  listPolicies,
  listRoles,
  updateAccessGrant,
  updateDelegation,
} from "../access/index.ts";
import { listApplications } from "../applications/index.ts";
import { listGroups } from "../groups/index.ts";
import { listOrganizations, listUnits } from "../organizations/index.ts";
import { nameIn, present } from "./apply-access.ts";
import { resolveUser } from "./apply-users.ts";
import { differences, fieldsNamed } from "./differences.ts";
import { forEachEntry, type TenantRun, wrongField } from "./run.ts";

/** Ids by what files call things. */
type Names = Record<
  "group" | "unit" | "application" | "role" | "policy" | "organization",
  Map<string, string>
>;

async function readNames(run: TenantRun): Promise<Names> {
  const ids = <Item extends { id: string }>(items: Map<string, Item>) =>
    new Map([...items].map(([name, { id }]) => [name, id]));
  const organizations = await present(run, listOrganizations, ({ code }) => code);
  const codes = new Map([...organizations.values()].map(({ id, code }) => [id, code]));
  const units = await present(run, listUnits, ({ organizationId, parentId, code }) =>
    parentId === null ? (codes.get(organizationId) ?? "") : `${codes.get(organizationId)}/${code}`,
  );
  return {
    group: ids(await present(run, listGroups, ({ code }) => code)),
    unit: ids(units),
    application: ids(await present(run, listApplications, ({ slug }) => slug)),
    role: ids(await present(run, listRoles, nameIn)),
    policy: ids(await present(run, listPolicies, nameIn)),
    organization: ids(organizations),
  };
}

/** @throws IdentityError `<kind>.not_found` naming the field. */
function find(names: Names, kind: keyof Names, name: string, path: string): string {
  const id = names[kind].get(name.replace(/^default\//, ""));
  if (id !== undefined) return id;
  throw new IdentityError(`${kind}.not_found`, {
    fields: [{ path, message: `there is no ${kind} ${name}` }],
  });
}

type Subjects = Pick<ConfigurationGrant, "user" | "group" | "unit" | "application" | "toRole">;

/** @throws IdentityError `configuration.invalid` unless exactly one is named */
async function subjectOf(run: TenantRun, names: Names, entry: Subjects): Promise<Subject> {
  const { user, group, unit, application, toRole } = entry;
  const given = [user, group, unit, application, toRole].filter((name) => name !== undefined);
  if (given.length !== 1) throw wrongField("", "needs one of user, group, unit, application and toRole");
  if (user !== undefined) return { type: "user", id: await resolveUser(run, user, "/user") };
  if (group !== undefined) return { type: "group", id: find(names, "group", group, "/group") };
  if (unit !== undefined) return { type: "unit", id: find(names, "unit", unit, "/unit") };
  if (application !== undefined) {
    return { type: "application", id: find(names, "application", application, "/application") };
  }
  return { type: "role", id: find(names, "role", toRole ?? "", "/toRole") };
}

/** Grants by what is given to whom. */
export async function applyGrants(
  run: TenantRun,
  entries: ConfigurationTenant["grants"],
  path: string,
): Promise<void> {
  if (!entries?.length) return;
  const names = await readNames(run);
  const known = await present(run, listAccessGrants, keyOf);
  await forEachEntry<ConfigurationGrant>(entries, path, async (entry) => {
    const { role, policy, namespace, resource, actions, effect, inherit, enabled } = entry;
    const input = {
      subject: await subjectOf(run, names, entry),
      ...(role === undefined ? {} : { roleId: find(names, "role", role, "/role") }),
      ...(policy === undefined ? {} : { policyId: find(names, "policy", policy, "/policy") }),
      ...defined({ namespace, resource, actions, effect, inherit, enabled }),
    } as CreateAccessGrant;
    const name = wordsOf(entry);
    const found = known.get(keyOf(input));
    if (!found) {
      const made = await createAccessGrant(run.deps, run.context, input);
      known.set(keyOf(made), made);
      return run.report.created(run.tenant, "grant", name, Object.keys(entry));
    }
    const wanted = defined({ actions, inherit, enabled });
    const fields = differences(found, wanted);
    if (fields.length > 0) {
      const changed = await updateAccessGrant(run.deps, run.context, found.id, fieldsNamed(wanted, fields));
      known.set(keyOf(changed), changed);
    }
    run.report.updated(run.tenant, "grant", name, fields);
  });
}

function defined<T extends object>(values: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}

function keyOf(grant: CreateAccessGrant | AccessGrant): string {
  const { subject, roleId, policyId, resource } = grant;
  const isResource = resource != null;
  return JSON.stringify([
    subject.type,
    subject.id,
    roleId ?? null,
    policyId ?? null,
    resource ?? null,
    isResource ? (grant.namespace ?? "default") : null,
    isResource ? (grant.effect ?? "allow") : null,
  ]);
}

function wordsOf({ user, group, unit, application, toRole, role, policy, resource }: ConfigurationGrant) {
  return `${role ?? policy ?? resource ?? ""} to ${user ?? group ?? unit ?? application ?? toRole ?? ""}`;
}

/** Delegations by subject and place. */
export async function applyDelegations(
  run: TenantRun,
  entries: ConfigurationTenant["delegations"],
  path: string,
): Promise<void> {
  if (!entries?.length) return;
  const names = await readNames(run);
  const keyOf = ({ subject, scope }: Pick<Delegation, "subject" | "scope">) =>
    `${subject.type} ${subject.id} ${scope.type} ${scope.id}`;
  const known = await present(run, listDelegations, keyOf);
  await forEachEntry<ConfigurationDelegation>(entries, path, async (entry) => {
    const { permissions } = entry;
    const input = { subject: await subjectOf(run, names, entry), scope: scopeOf(names, entry), permissions };
    const found = known.get(keyOf(input));
    const name = `${input.subject.type} in ${input.scope.type}`;
    if (!found) {
      known.set(keyOf(input), await createDelegation(run.deps, run.context, input));
      return run.report.created(run.tenant, "delegation", name, Object.keys(entry));
    }
    const fields = differences(found, { permissions });
    if (fields.length > 0) await updateDelegation(run.deps, run.context, found.id, { permissions });
    run.report.updated(run.tenant, "delegation", name, fields);
  });
}

function scopeOf(names: Names, entry: ConfigurationDelegation): Delegation["scope"] {
  const { inOrganization, inUnit, inApplication, inNamespace } = entry;
  const given = [inOrganization, inUnit, inApplication, inNamespace].filter((name) => name !== undefined);
  if (given.length !== 1) {
    throw wrongField("", "needs one of inOrganization, inUnit, inApplication and inNamespace");
  }
  if (inOrganization !== undefined) {
    const id = find(names, "organization", inOrganization, "/inOrganization");
    return { type: "organization", id };
  }
  if (inUnit !== undefined) return { type: "unit", id: find(names, "unit", inUnit, "/inUnit") };
  if (inApplication === undefined) return { type: "namespace", id: inNamespace ?? "" };
  return { type: "application", id: find(names, "application", inApplication, "/inApplication") };
}
