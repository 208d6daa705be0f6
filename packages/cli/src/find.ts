import type { Application, User } from "@ostiary/contracts";
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

/** The path of one object, its id made safe. */
export function pathOf(list: string, id: string, query: Record<string, string | undefined> = {}): string {
  return `${list}/${encodeURIComponent(id)}${queryOf(query)}`;
}
