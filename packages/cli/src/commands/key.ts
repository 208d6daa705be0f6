import type { ApiKey, CreatedApiKey, SigningKey } from "@ostiary/contracts";
import { Command, Option } from "commander";
import { type ConnectionOptions, withClient } from "../client.ts";
import { UsageFailure } from "../failure.ts";
import { findApplication, findUser, pathOf } from "../find.ts";
import { collect, connected, count } from "../options.ts";
import { answer, print, table } from "../output.ts";

export function keyCommand(): Command {
  return new Command("key")
    .description("List and manage API keys and signing keys")
    .addCommand(create())
    .addCommand(list())
    .addCommand(remove())
    .addCommand(
      new Command("signing")
        .description("The keys that sign tokens")
        .addCommand(listSigning())
        .addCommand(rotateSigning()),
    );
}

interface CreateOptions extends ConnectionOptions {
  user?: string;
  application?: string;
  global?: boolean;
  permission?: string[];
  days?: number;
}

function create(): Command {
  return connected("create", "Create an API key; prints it once", [
    "ostiary key create ci --user zs --days 90",
    "ostiary key create batch --application shop",
    "ostiary key create backup --global --permission configuration:read --permission user:read",
  ])
    .argument("<name>", "for people")
    .option("--user <user>", "a key of this user: username, address, number or id")
    .option("--application <application>", "a key of this application: slug or id")
    .option("--global", "a key of the tenant itself; may do what --permission says")
    .option("--permission <code>", "only this of what the owner may do; may be repeated", collect)
    .option("--days <number>", "refused after so many days; default: never", count(1, 36_500))
    .action(async (name: string, options: CreateOptions) => {
      const owners = [options.user, options.application, options.global].filter(Boolean);
      if (owners.length !== 1) throw new UsageFailure("Give one of --user, --application and --global.");
      const made = await withClient(options, async (client) => {
        const owner = options.user
          ? { type: "user", userId: (await findUser(client, options.user)).id }
          : options.application
            ? { type: "application", applicationId: (await findApplication(client, options.application)).id }
            : { type: "global" };
        return client.call<CreatedApiKey>("POST", "/api-keys", {
          name,
          ...owner,
          ...(options.permission ? { permissions: options.permission } : {}),
          ...(options.days
            ? { expiresAt: new Date(Date.now() + options.days * 86_400_000).toISOString() }
            : {}),
        });
      });
      if (options.json) answer(true, made, () => "");
      else print(`${made.key}\n(${made.type} key ${made.name}, id ${made.id}; shown this once)`);
    });
}

interface ListOptions extends ConnectionOptions {
  user?: string;
  application?: string;
  limit: number;
}

function list(): Command {
  return connected("list", "List API keys, newest first")
    .option("--user <user>", "only of this user")
    .option("--application <application>", "only of this application")
    .option("--limit <number>", "at most", count(1), 50)
    .action(async (options: ListOptions) => {
      const keys = await withClient(options, async (client) => {
        const userId = options.user ? (await findUser(client, options.user)).id : undefined;
        const applicationId = options.application
          ? (await findApplication(client, options.application)).id
          : undefined;
        return client.list<ApiKey>("/api-keys", { userId, applicationId }, options.limit);
      });
      answer(options.json, keys, () =>
        table(
          ["ID", "NAME", "TYPE", "ENDS IN", "STATUS", "EXPIRES", "LAST USED"],
          keys.map((key) => [
            key.id,
            key.name,
            key.type,
            key.hint,
            key.status,
            key.expiresAt,
            key.lastUsedAt,
          ]),
        ),
      );
    });
}

function remove(): Command {
  return connected("delete", "Delete an API key; it is refused from now on", [
    "ostiary key delete 019a8c3f2b7e5d0c4a1b9e7f",
  ])
    .argument("<id>", "as `ostiary key list` shows it")
    .action(async (id: string, options: ConnectionOptions) => {
      await withClient(options, (client) => client.call("DELETE", pathOf("/api-keys", id)));
      answer(options.json, { deleted: id }, () => `deleted ${id}`);
    });
}

function listSigning(): Command {
  return connected("list", "List the keys that sign tokens").action(async (options: ConnectionOptions) => {
    const { items } = await withClient(options, (client) =>
      client.call<{ items: SigningKey[] }>("GET", "/signing-keys"),
    );
    answer(options.json, items, () => signingTable(items));
  });
}

function rotateSigning(): Command {
  return connected("rotate", "Sign with a new key; the old one verifies until its last token has expired", [
    "ostiary key signing rotate",
    "ostiary key signing rotate --algorithm EdDSA",
  ])
    .addOption(
      new Option("--algorithm <name>", "another one becomes the tenant's").choices([
        "ES256",
        "RS256",
        "EdDSA",
      ]),
    )
    .action(async (options: ConnectionOptions & { algorithm?: string }) => {
      const body = options.algorithm === undefined ? {} : { algorithm: options.algorithm };
      const items = await withClient(options, async (client) => {
        await client.call("POST", "/signing-keys/rotate", body);
        return (await client.call<{ items: SigningKey[] }>("GET", "/signing-keys")).items;
      });
      answer(options.json, items, () => signingTable(items));
    });
}

function signingTable(keys: readonly SigningKey[]): string {
  return table(
    ["KID", "ALGORITHM", "STATUS", "SIGNS FROM", "VERIFIES UNTIL"],
    keys.map((key) => [key.kid, key.algorithm, key.status, key.activatesAt, key.expiresAt]),
  );
}
