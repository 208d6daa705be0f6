import { readFile } from "node:fs/promises";
import type { User, UserAvatar } from "@ostiary/contracts";
import { Command, Option } from "commander";
import { type Client, type ConnectionOptions, withClient } from "../client.ts";
import { UsageFailure } from "../failure.ts";
import { findUser, pathOf } from "../find.ts";
import { collect, connected, count } from "../options.ts";
import { answer, details, table } from "../output.ts";
import { type PasswordOptions, readPassword } from "../password.ts";
import { factorsCommand } from "./user-factors.ts";

const REFERENCE = "username, e-mail address, phone number or id";

export function userCommand(): Command {
  return new Command("user")
    .description("List and manage users")
    .addCommand(create())
    .addCommand(list())
    .addCommand(show())
    .addCommand(update())
    .addCommand(change("suspend", "Stop a user from signing in, and end the sessions"))
    .addCommand(change("activate", "Let a suspended user sign in again"))
    .addCommand(setPassword())
    .addCommand(avatar())
    .addCommand(factorsCommand())
    .addCommand(remove());
}

interface Identity {
  username?: string;
  email?: string;
  phone?: string;
  name?: string;
  nickname?: string;
  role?: string[];
}

function withIdentity(command: Command): Command {
  return command
    .option("--username <name>", "unique in the tenant")
    .option("--email <address>", "unique in the tenant")
    .option("--phone <number>", "unique in the tenant")
    .option("--name <text>", "full name")
    .option("--nickname <text>", "how the person is called");
}

function identityOf({ username, email, phone, name, nickname }: Identity) {
  const given = Object.entries({ username, email, phone, name, nickname });
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}

type CreateOptions = ConnectionOptions &
  Identity &
  PasswordOptions & { administrator?: boolean; password: boolean };

function create(): Command {
  return withIdentity(
    connected("create", "Create a user", [
      "ostiary user create --administrator --username root",
      "ostiary user create --username zs --email zs@example.com --role editor",
      "echo 'correct horse' | ostiary user create --username zs --password-stdin",
    ]),
  )
    .option("--administrator", "give the role of administrators")
    .option("--role <code>", "give this role; may be repeated", collect)
    .option("--password-stdin", "read the password from standard input")
    .option("--generate-password", "make a password and print it; the default without a terminal")
    .option("--no-password", "the user cannot sign in by password yet")
    .action(async (options: CreateOptions) => {
      const identity = identityOf(options);
      if (!options.username && !options.email && !options.phone) {
        throw new UsageFailure("A user needs --username, --email or --phone.");
      }
      const given = options.password ? await readPassword(options) : undefined;
      const roles = [...(options.role ?? []), ...(options.administrator ? ["administrator"] : [])];
      const user = await withClient(options, (client) =>
        client.call<User>("POST", "/users", {
          ...identity,
          registerSource: "command-line",
          ...(roles.length === 0 ? {} : { roles }),
          ...(given ? { password: { plain: given.password } } : {}),
        }),
      );
      const password = given?.generated ? given.password : undefined;
      answer(options.json, { ...user, ...(password ? { password } : {}) }, () =>
        [
          `created ${nameOf(user)} (${user.id})${roles.length ? ` with ${roles.join(", ")}` : ""}`,
          ...(password ? [`password, shown this once: ${password}`] : []),
        ].join("\n"),
      );
    });
}

function avatar(): Command {
  return connected("avatar", "Give a user a picture, or take it away", [
    "ostiary user avatar zs --file zs.png",
    "ostiary user avatar zs --remove",
  ])
    .argument("<user>", REFERENCE)
    .option("--file <path>", "a PNG, JPEG, GIF or WebP picture")
    .option("--remove", "take the picture away")
    .action(async (reference: string, options: ConnectionOptions & { file?: string; remove?: boolean }) => {
      const { file, remove = false } = options;
      if ((file === undefined) !== remove) throw new UsageFailure("Give --file or --remove.");
      const bytes = file === undefined ? undefined : await readPictureFile(file);
      const made = await withClient(options, async (client) => {
        const { id } = await findUser(client, reference);
        if (bytes) return client.put<UserAvatar>(`${pathOf("/users", id)}/avatar`, bytes, "image/png");
        await client.call("DELETE", `${pathOf("/users", id)}/avatar`);
        return null;
      });
      answer(options.json, made, () => (made ? `${made.mediaType}: ${made.picture}` : "removed"));
    });
}

/** What kind of picture it is, the server finds out. @throws UsageFailure */
async function readPictureFile(path: string): Promise<Buffer<ArrayBuffer>> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new UsageFailure(`${path} cannot be read: ${(error as Error).message}`);
  }
}

type ListOptions = ConnectionOptions & { search?: string; role?: string; status?: string; limit: number };

function list(): Command {
  return connected("list", "List users, newest first", ["ostiary user list --search zhang --json"])
    .option("--search <text>", "part of a name, address or number")
    .option("--role <code>", "only those with this role")
    .addOption(new Option("--status <status>", "only these").choices(["active", "suspended"]))
    .option("--limit <number>", "at most", count(1), 50)
    .action(async (options: ListOptions) => {
      const { search, role, status, limit } = options;
      const users = await withClient(options, (client) =>
        client.list<User>("/users", { search, role, status }, limit),
      );
      answer(options.json, users, () =>
        table(
          ["ID", "USERNAME", "E-MAIL", "NAME", "STATUS", "ROLES"],
          users.map((user) => [
            user.id,
            user.username,
            user.email,
            user.name ?? user.nickname,
            user.status,
            user.roles.join(","),
          ]),
        ),
      );
    });
}

function show(): Command {
  return connected("show", "Show a user", ["ostiary user show zs"])
    .argument("<user>", REFERENCE)
    .action(async (reference: string, options: ConnectionOptions) => {
      const user = await withClient(options, (client) => findUser(client, reference));
      answer(options.json, user, () => details(user));
    });
}

type UpdateOptions = ConnectionOptions & Identity & { administrator?: boolean };

function update(): Command {
  return withIdentity(
    connected("update", "Change a user", [
      "ostiary user update zs --nickname 'Zhang San'",
      "ostiary user update zs --role editor --role viewer",
      "ostiary user update zs --no-administrator",
    ]),
  )
    .argument("<user>", REFERENCE)
    .option(
      "--role <code>",
      "make these the only roles, but for the administrators'; may be repeated",
      collect,
    )
    .option("--administrator", "give the role of administrators")
    .option("--no-administrator", "take the role of administrators away")
    .action(async (reference: string, options: UpdateOptions) => {
      const values = identityOf(options);
      const user = await withClient(options, async (client) => {
        const { id, roles: before } = await findUser(client, reference);
        if (Object.keys(values).length > 0) await client.call("PATCH", pathOf("/users", id), values);
        await changeRoles(client, id, before, options);
        return client.call<User>("GET", pathOf("/users", id));
      });
      answer(options.json, user, () => details(user));
    });
}

async function changeRoles(
  client: Client,
  id: string,
  before: readonly string[],
  { role, administrator }: UpdateOptions,
): Promise<void> {
  if (role === undefined && administrator === undefined) return;
  const others = (role ?? before).filter((code) => code !== "administrator");
  const keeps = administrator ?? before.includes("administrator");
  const roles = keeps ? [...others, "administrator"] : others;
  await client.call("POST", `/users/${id}/roles/set`, { roles });
}

function change(verb: "suspend" | "activate", summary: string): Command {
  return connected(verb, summary, [`ostiary user ${verb} zs`])
    .argument("<user>", REFERENCE)
    .action(async (reference: string, options: ConnectionOptions) => {
      const user = await withClient(options, async (client) => {
        const { id } = await findUser(client, reference);
        return client.call<User>("POST", `/users/${id}/${verb}`);
      });
      answer(options.json, user, () => `${nameOf(user)} is ${user.status}`);
    });
}

function setPassword(): Command {
  return connected("set-password", "Give a user a new password, and end the sessions", [
    "ostiary user set-password zs",
    "ostiary user set-password zs --generate-password --must-change",
  ])
    .argument("<user>", REFERENCE)
    .option("--password-stdin", "read the password from standard input")
    .option("--generate-password", "make a password and print it; the default without a terminal")
    .option("--must-change", "ask for another one at the next sign-in")
    .action(
      async (reference: string, options: ConnectionOptions & PasswordOptions & { mustChange?: boolean }) => {
        const { password, generated } = await readPassword(options);
        const user = await withClient(options, async (client) => {
          const found = await findUser(client, reference);
          const body = { password: { plain: password }, mustChange: options.mustChange ?? false };
          await client.call("PUT", `/users/${found.id}/password`, body);
          return found;
        });
        answer(options.json, { id: user.id, ...(generated ? { password } : {}) }, () =>
          generated
            ? `${nameOf(user)} has a new password, shown this once: ${password}`
            : `${nameOf(user)} has a new password`,
        );
      },
    );
}

function remove(): Command {
  return connected("delete", "Delete a user: the data is erased", ["ostiary user delete zs --yes"])
    .argument("<user>", REFERENCE)
    .option("--yes", "do it; it cannot be undone")
    .action(async (reference: string, options: ConnectionOptions & { yes?: boolean }) => {
      if (!options.yes) throw new UsageFailure("This cannot be undone. Add --yes to do it.");
      const user = await withClient(options, async (client) => {
        const found = await findUser(client, reference);
        await client.call("DELETE", pathOf("/users", found.id));
        return found;
      });
      answer(options.json, { deleted: user.id }, () => `deleted ${nameOf(user)}`);
    });
}

function nameOf({ username, email, phone, id }: User): string {
  return username ?? email ?? phone ?? id;
}
