import type {
  AccessGrant,
  ConfigurationDelegation,
  ConfigurationGrant,
  ConfigurationGroup,
  ConfigurationOrganization,
  ConfigurationRole,
  ConfigurationTenant,
  ConfigurationUnit,
  CreateNamespace,
  CreatePolicy,
  CreateResource,
  Subject,
  Unit,
} from "@ostiary/contracts";
import {
  listAccessGrants,
  listDelegations,
  listNamespaces,
  listPolicies,
  listResources,
  listRoles,
} from "../access/index.ts";
import { listGroupMembers, listGroups } from "../groups/index.ts";
import { listOrganizations, listUnitMembers, listUnits } from "../organizations/index.ts";
import { nameIn } from "./apply-access.ts";
import { by, filled, type Reader } from "./export-lists.ts";
import { everyItem } from "./run.ts";

type Names = ReadonlyMap<string, string>;

/** Those that nobody else makes: `default` is there, and applications bring their own. */
export async function exportNamespaces({ deps, context }: Reader): Promise<CreateNamespace[]> {
  const entries: CreateNamespace[] = [];
  for await (const namespace of everyItem((page) => listNamespaces(deps, context, page))) {
    const { code, name, description, applicationId } = namespace;
    if (applicationId === null && code !== "default") entries.push({ code, name, description });
  }
  return entries.sort(by(({ code }) => code));
}

export async function exportResources({ deps, context }: Reader): Promise<CreateResource[]> {
  const entries: CreateResource[] = [];
  for await (const resource of everyItem((page) => listResources(deps, context, page))) {
    const { namespace, code, type, name, names, description, actions } = resource;
    entries.push({
      namespace,
      code,
      type,
      name,
      names,
      description,
      actions: actions.map((action) => (action.description === "" ? action.name : action)),
    });
  }
  return entries.sort(by(nameIn));
}

/** Built-in roles are the same everywhere. */
export async function exportRoles({ deps, context }: Reader): Promise<ConfigurationRole[]> {
  const roles = [];
  for await (const role of everyItem((page) => listRoles(deps, context, page))) roles.push(role);
  const names = new Map(roles.map((role) => [role.id, nameIn(role)]));
  return roles
    .filter(({ system }) => !system)
    .map(({ namespace, code, name, description, permissions, parentId }) => {
      const parent = parentId === null ? undefined : names.get(parentId);
      return {
        namespace,
        code,
        name,
        description,
        permissions,
        ...(parent === undefined ? {} : { parent }),
      };
    })
    .sort(by(({ namespace, code }) => `${namespace}/${code}`));
}

export async function exportPolicies({ deps, context }: Reader): Promise<CreatePolicy[]> {
  const entries: CreatePolicy[] = [];
  for await (const policy of everyItem((page) => listPolicies(deps, context, page))) {
    const { namespace, code, name, description, statements, system } = policy;
    if (!system) entries.push({ namespace, code, name, description, statements });
  }
  return entries.sort(by(nameIn));
}

/** Groups, organizations, grants and delegations. */
export async function exportAccess(
  reader: Reader,
  users: Names,
  applications: Names,
): Promise<Pick<ConfigurationTenant, "groups" | "organizations" | "grants" | "delegations">> {
  const groups = await exportGroups(reader, users);
  const organizations = await exportOrganizations(reader, users);
  const names: SubjectNames = {
    user: users,
    application: applications,
    group: groups.names,
    unit: organizations.units,
    role: await namesOf(reader, listRoles),
    policy: await namesOf(reader, listPolicies),
    organization: organizations.names,
  };
  return {
    ...filled("groups", groups.entries),
    ...filled("organizations", organizations.entries),
    ...filled("grants", await exportGrants(reader, names)),
    ...filled("delegations", await exportDelegations(reader, names)),
  };
}

async function namesOf(
  { deps, context }: Reader,
  list: typeof listRoles | typeof listPolicies,
): Promise<Names> {
  const names = new Map<string, string>();
  for await (const item of everyItem<{ id: string; namespace: string; code: string }>((page) =>
    list(deps, context, page),
  )) {
    names.set(item.id, nameIn(item));
  }
  return names;
}

async function exportGroups({ deps, context }: Reader, users: Names) {
  const entries: ConfigurationGroup[] = [];
  const names = new Map<string, string>();
  for await (const group of everyItem((page) => listGroups(deps, context, page))) {
    const { id, serial, code, name, description, level } = group;
    names.set(id, code);
    const members: string[] = [];
    for await (const { userId } of everyItem((page) => listGroupMembers(deps, context, id, page))) {
      members.push(users.get(userId) ?? userId);
    }
    entries.push({ id, serial, code, name, description, level, members: members.sort() });
  }
  return { entries: entries.sort(by(({ code }) => code)), names };
}

async function exportOrganizations({ deps, context }: Reader, users: Names) {
  const entries: ConfigurationOrganization[] = [];
  const [names, units] = [new Map<string, string>(), new Map<string, string>()];
  for await (const organization of everyItem((page) => listOrganizations(deps, context, page))) {
    const { id, serial, code, name, names: texts, description, rootUnitId } = organization;
    names.set(id, code);
    const below = new Map<string, Unit[]>();
    const query = { organizationId: id };
    for await (const unit of everyItem((page) => listUnits(deps, context, { ...query, ...page }))) {
      units.set(unit.id, unit.parentId === null ? code : `${code}/${unit.code}`);
      if (unit.parentId) below.set(unit.parentId, [...(below.get(unit.parentId) ?? []), unit]);
    }
    const tree = async (parentId: string): Promise<ConfigurationUnit[]> => {
      const found: ConfigurationUnit[] = [];
      for (const unit of (below.get(parentId) ?? []).sort(by((one) => one.code))) {
        const members = await membersOf(unit.id);
        const within = await tree(unit.id);
        const { code: unitCode, name: unitName, names: unitNames, description: text, position } = unit;
        const values = { code: unitCode, name: unitName, names: unitNames, description: text, position };
        found.push({ ...values, members, ...filled("units", within) });
      }
      return found;
    };
    const membersOf = async (unitId: string) => {
      const members: Exclude<NonNullable<ConfigurationUnit["members"]>[number], string>[] = [];
      for await (const member of everyItem((page) => listUnitMembers(deps, context, unitId, page))) {
        const { userId, main, position } = member;
        members.push({ user: users.get(userId) ?? userId, main, position });
      }
      return members.sort(by(({ user }) => user));
    };
    const root = rootUnitId ?? "";
    entries.push({
      id,
      serial,
      code,
      name,
      names: texts,
      description,
      members: await membersOf(root),
      ...filled("units", await tree(root)),
    });
  }
  return { entries: entries.sort(by(({ code }) => code)), names, units };
}

type SubjectNames = Record<Subject["type"] | "policy" | "organization", Names>;

function subjectEntry({ type, id }: Subject, names: SubjectNames): Partial<ConfigurationGrant> | undefined {
  const name = names[type].get(id);
  return name === undefined ? undefined : { [type === "role" ? "toRole" : type]: name };
}

/** Without the roles of users, which stand there, unless something else is to be said of them. */
async function exportGrants({ deps, context }: Reader, names: SubjectNames): Promise<ConfigurationGrant[]> {
  const entries: ConfigurationGrant[] = [];
  for await (const grant of everyItem((page) => listAccessGrants(deps, context, page))) {
    const subject = subjectEntry(grant.subject, names);
    const isRoleOfUser = grant.subject.type === "user" && grant.kind === "role" && grant.enabled;
    if (subject && !isRoleOfUser) entries.push({ ...subject, ...contentOf(grant, names), ...termsOf(grant) });
  }
  return entries.sort(by((entry) => JSON.stringify(entry)));
}

function contentOf(grant: AccessGrant, names: SubjectNames): Partial<ConfigurationGrant> {
  const { roleId, policyId, namespace, resource, actions, effect } = grant;
  if (roleId !== null) return { role: names.role.get(roleId) ?? roleId };
  if (policyId !== null) return { policy: names.policy.get(policyId) ?? policyId };
  return {
    namespace: namespace ?? "default",
    resource: resource ?? "",
    actions: actions ?? [],
    effect: effect ?? "allow",
  };
}

function termsOf({ subject, inherit, enabled }: AccessGrant): Partial<ConfigurationGrant> {
  return subject.type === "unit" ? { inherit, enabled } : { enabled };
}

async function exportDelegations(
  { deps, context }: Reader,
  names: SubjectNames,
): Promise<ConfigurationDelegation[]> {
  const entries: ConfigurationDelegation[] = [];
  for await (const { subject, scope, permissions } of everyItem((page) =>
    listDelegations(deps, context, page),
  )) {
    const given = subjectEntry(subject, names);
    const place = scope.type === "namespace" ? scope.id : names[scope.type].get(scope.id);
    if (!given || place === undefined) continue;
    const key = { organization: "inOrganization", unit: "inUnit", application: "inApplication" } as const;
    const within = scope.type === "namespace" ? { inNamespace: place } : { [key[scope.type]]: place };
    entries.push({ ...given, ...within, permissions });
  }
  return entries.sort(by((entry) => JSON.stringify(entry)));
}
