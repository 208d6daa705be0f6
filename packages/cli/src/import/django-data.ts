/** What an import needs of a Django project with zibanu-django-auth, however it was read. */
export interface DjangoData {
  users: DjangoUser[];
  groups: DjangoGroup[];
}

export interface DjangoUser {
  /** Primary key. */
  id: number;
  username: string;
  email: string;
  firstName: string;
  lastName: string;
  /** As Django stores it. */
  password: string;
  isActive: boolean;
  isStaff: boolean;
  isSuperuser: boolean;
  groups: number[];
  /** `app.codename` */
  permissions: string[];
  /** Null when he has none. */
  profile: Row | null;
  /** All columns: a project's own user may have more than Django's. */
  row: Row;
}

export interface DjangoGroup {
  id: number;
  name: string;
  level: number | null;
  permissions: string[];
}

export type Row = Readonly<Record<string, unknown>>;

/** Tables, or models of a dump, that are read. */
export interface Tables {
  users: Row[];
  groups: Row[];
  /** With `app` and `codename`. */
  permissions: Row[];
  userGroups: Row[];
  userPermissions: Row[];
  groupPermissions: Row[];
  profiles: Row[];
  levels: Row[];
}

/** Joins what databases keep in tables. */
export function fromTables(tables: Tables): DjangoData {
  const names = new Map(
    tables.permissions.map((row) => [Number(row["id"]), `${row["app"]}.${row["codename"]}`]),
  );
  const profiles = new Map(tables.profiles.map((row) => [Number(row["user_id"]), row]));
  const levels = new Map(tables.levels.map((row) => [Number(row["group_id"]), Number(row["level"])]));
  const many = (rows: Row[], from: string, to: string) => {
    const found = Map.groupBy(rows, (row) => Number(row[from]));
    return (id: number) => (found.get(id) ?? []).map((row) => Number(row[to]));
  };
  const named = (ids: number[]) => [...new Set(ids.flatMap((id) => names.get(id) ?? []))];
  const groupsOf = many(tables.userGroups, "user_id", "group_id");
  const permissionsOf = many(tables.userPermissions, "user_id", "permission_id");
  const groupPermissionsOf = many(tables.groupPermissions, "group_id", "permission_id");
  return {
    users: tables.users.map((row) => {
      const id = Number(row["id"]);
      return {
        ...toUser(id, row),
        groups: groupsOf(id),
        permissions: named(permissionsOf(id)),
        profile: profiles.get(id) ?? null,
      };
    }),
    groups: tables.groups.map((row) => {
      const id = Number(row["id"]);
      return {
        id,
        name: String(row["name"]),
        level: levels.get(id) ?? null,
        permissions: named(groupPermissionsOf(id)),
      };
    }),
  };
}

function toUser(id: number, row: Row): Omit<DjangoUser, "groups" | "permissions" | "profile"> {
  const text = (name: string) => (typeof row[name] === "string" ? row[name] : "");
  const flag = (name: string) => row[name] === true || row[name] === 1;
  return {
    id,
    row,
    username: text("username"),
    email: text("email").trim(),
    firstName: text("first_name").trim(),
    lastName: text("last_name").trim(),
    password: text("password"),
    isActive: flag("is_active"),
    isStaff: flag("is_staff"),
    isSuperuser: flag("is_superuser"),
  };
}

interface Dumped {
  model: string;
  pk: unknown;
  fields: Row;
}

/**
 * Reads what `manage.py dumpdata auth.user auth.group auth.permission contenttypes zb_auth` writes, with numbers or with
 * natural keys.
 *
 * @throws Error that says what is wrong
 */
export function fromDump(text: string): DjangoData {
  const value: unknown = JSON.parse(text);
  if (!Array.isArray(value)) throw new Error("a dump is a list of objects with `model`, `pk` and `fields`");
  const objects = value.filter(isDumped);
  if (objects.length < value.length) throw new Error("an entry has no `model`, `pk` and `fields`");
  const of = (...models: string[]) => objects.filter(({ model }) => models.includes(model.toLowerCase()));
  const types = new Map(
    of("contenttypes.contenttype").map(({ pk, fields }) => [Number(pk), String(fields["app_label"])]),
  );
  const groupIds = new Map(of("auth.group").map(({ pk, fields }) => [String(fields["name"]), Number(pk)]));
  const permissions = of("auth.permission").map(({ pk, fields }) => ({
    id: Number(pk),
    app: appOf(fields["content_type"], types),
    codename: fields["codename"],
  }));
  const permissionIds = new Map(permissions.map(({ id, app, codename }) => [`${app}.${codename}`, id]));
  const users = of("auth.user", "zb_auth.user");
  const userIds = new Map(users.map(({ pk, fields }) => [String(fields["username"]), Number(pk)]));
  const links = (list: Dumped[], field: string, ids: Map<string, number>, from: string, to: string) =>
    list.flatMap(({ pk, fields }) =>
      (Array.isArray(fields[field]) ? fields[field] : []).map((one) => ({
        [from]: Number(pk),
        [to]: idOf(one, ids),
      })),
    );
  const groups = of("auth.group");
  return fromTables({
    users: users.map(({ pk, fields }) => ({ ...fields, id: pk })),
    groups: groups.map(({ pk, fields }) => ({ ...fields, id: pk })),
    permissions,
    userGroups: links(users, "groups", groupIds, "user_id", "group_id"),
    userPermissions: links(users, "user_permissions", permissionIds, "user_id", "permission_id"),
    groupPermissions: links(groups, "permissions", permissionIds, "group_id", "permission_id"),
    profiles: of("zb_auth.userprofile").map(({ fields }) => ({
      ...fields,
      user_id: idOf(fields["user"], userIds),
    })),
    levels: of("zb_auth.grouplevel").map(({ fields }) => ({
      ...fields,
      group_id: idOf(fields["group"], groupIds),
    })),
  });
}

function isDumped(value: unknown): value is Dumped {
  return (
    typeof value === "object" &&
    value !== null &&
    "model" in value &&
    typeof value.model === "string" &&
    "pk" in value &&
    "fields" in value &&
    typeof value.fields === "object" &&
    value.fields !== null
  );
}

/** A number, or a natural key: `["auth", "user"]`. */
function appOf(given: unknown, types: ReadonlyMap<number, string>): string {
  return Array.isArray(given) ? String(given[0]) : (types.get(Number(given)) ?? "");
}

/** A number, or a natural key: the name alone, or of a permission codename, app and model. */
function idOf(given: unknown, ids: ReadonlyMap<string, number>): number {
  if (!Array.isArray(given)) return Number(given);
  const [first, second] = given;
  return ids.get(given.length > 1 ? `${second}.${first}` : String(first)) ?? Number.NaN;
}
