import type { Application, Unit, User } from "@ostiary/contracts";
import { type Client, queryOf } from "./client.ts";
import { Failure } from "./failure.ts";

const ID = /^[0-9a-f]{24}$/;

/** A user by id, username, e-mail address or phone number. */
export async function findUser(client: Client, reference: string): Promise<User> {
  if (ID.test(reference)) return client.call<User>("GET", `/users/${reference}`);
  const wanted = reference.toLowerCase();
  const found = await client.list<User>("/users", { search: reference }, 1_000);
  const user =
    found.find(({ username }) => username?.toLowerCase() === wanted) ??
    found.find(({ email, phone }) => email?.toLowerCase() === wanted || phone === reference);
  if (!user) throw new Failure(`There is no user ${reference}.`);
  return user;
}

/** An application by id or slug. */
export async function findApplication(client: Client, reference: string): Promise<Application> {
  if (ID.test(reference)) return client.call<Application>("GET", `/applications/${reference}`);
  const found = await client.list<Application>("/applications", { search: reference }, 1_000);
  const application = found.find(({ slug }) => slug === reference);
  if (!application) throw new Failure(`There is no application ${reference}.`);
  return application;
}

const LISTS = {
  group: "/groups",
  organization: "/organizations",
  role: "/roles",
  policy: "/policies",
} as const;

/** By code; of roles and policies also `namespace/code`. */
export async function findByCode(
  client: Client,
  kind: keyof typeof LISTS,
  reference: string,
): Promise<{ id: string; code: string }> {
  const slash = reference.indexOf("/");
  const code = reference.slice(slash + 1);
  const isNamed = kind === "role" || kind === "policy";
  const namespace = isNamed ? { namespace: slash === -1 ? "default" : reference.slice(0, slash) } : {};
  const query = { search: code, ...namespace };
  const found = await client.list<{ id: string; code: string }>(LISTS[kind], query, 1_000);
  const one = found.find((item) => item.code === code);
  if (!one) throw new Failure(`There is no ${kind} ${reference}.`);
  return one;
}

/** A unit by `organization/unit`; the organization's code alone is the unit that stands for all of it. */
export async function findUnit(client: Client, reference: string): Promise<Unit> {
  const [organization = "", code] = reference.split("/");
  const { id: organizationId } = await findByCode(client, "organization", organization);
  const query = { organizationId, search: code ?? organization };
  const units = await client.list<Unit>("/units", query, 1_000);
  const unit = units.find((one) => (code === undefined ? one.parentId === null : one.code === code));
  if (!unit) throw new Failure(`There is no unit ${reference}.`);
  return unit;
}

/** The path of one object, its id made safe. */
export function pathOf(list: string, id: string, query: Record<string, string | undefined> = {}): string {
  return `${list}/${encodeURIComponent(id)}${queryOf(query)}`;
}
