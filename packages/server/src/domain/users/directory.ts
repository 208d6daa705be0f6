import { findPrincipal, type Principal } from "../access/index.ts";
import type { Application } from "../applications/index.ts";
import type { Deps } from "../deps.ts";
import {
  countDirectory,
  selectDirectoryPage,
  selectIdBySerial,
  selectVisibleBySerial,
  selectVisibleByUsername,
  type Visibility,
} from "./directory.store.ts";

/**
 * What an application sees of the tenant's users: those who are active and may use it. The caller is the application
 * itself, so no permission is asked for.
 */
function visibilityOf({ tenantId, id, access }: Application): Visibility {
  return { tenantId, assignedTo: access === "everyone" ? null : id };
}

/** A page by number, oldest users first; and how many there are in all. */
export async function pageDirectory(
  deps: Deps,
  application: Application,
  query: { keyword: string | null; page: number; size: number },
): Promise<{ items: Principal[]; total: number }> {
  const visibility = visibilityOf(application);
  const keyword =
    query.keyword === null ? null : `%${query.keyword.toLowerCase().replace(/[\\%_]/g, "\\$&")}%`;
  const offset = (query.page - 1) * query.size;
  const [ids, total] = await Promise.all([
    selectDirectoryPage(deps.database, visibility, keyword, offset, query.size),
    countDirectory(deps.database, visibility, keyword),
  ]);
  return { items: await principalsOf(deps, application.tenantId, ids), total };
}

/** Those of the usernames that the application sees, by username in lower case. */
export async function findVisibleByUsername(
  deps: Deps,
  application: Application,
  usernames: readonly string[],
): Promise<Map<string, Principal>> {
  const wanted = usernames.map((username) => username.toLowerCase());
  const rows = await selectVisibleByUsername(deps.database, visibilityOf(application), wanted);
  const people = await principalsOf(
    deps,
    application.tenantId,
    rows.map(({ id }) => id),
  );
  const byId = new Map(people.map((person) => [person.userId, person]));
  return new Map(rows.flatMap(({ id, username }) => entry(username, byId.get(id))));
}

/** Whatever his status is. */
export async function findUserIdBySerial(
  deps: Deps,
  tenantId: string,
  serial: number,
): Promise<string | null> {
  if (!Number.isSafeInteger(serial)) return null;
  return (await selectIdBySerial(deps.database, tenantId, serial)) ?? null;
}

/** Those of the serials whose users the application sees. */
export async function findVisibleBySerial(
  deps: Deps,
  application: Application,
  serials: readonly number[],
): Promise<Map<number, Principal>> {
  const rows = await selectVisibleBySerial(deps.database, visibilityOf(application), serials);
  const people = await principalsOf(
    deps,
    application.tenantId,
    rows.map(({ id }) => id),
  );
  return new Map(people.map((person) => [person.serial, person]));
}

function entry<K>(key: K, person: Principal | undefined): [K, Principal][] {
  return person ? [[key, person]] : [];
}

async function principalsOf(deps: Deps, tenantId: string, ids: readonly string[]): Promise<Principal[]> {
  const people = await Promise.all(ids.map((id) => findPrincipal(deps, tenantId, id)));
  return people.filter((person) => person?.status === "active") as Principal[];
}
