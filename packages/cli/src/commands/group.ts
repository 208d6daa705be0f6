import type { Group, Membership } from "@ostiary/contracts";
import { Command } from "commander";
import { type ConnectionOptions, withClient } from "../client.ts";
import { UsageFailure } from "../failure.ts";
import { findByCode, findUser, pathOf } from "../find.ts";
import { connected, count } from "../options.ts";
import { answer, table } from "../output.ts";

export function groupCommand(): Command {
  return new Command("group")
    .description("List and manage groups and their members")
    .addCommand(create())
    .addCommand(list())
    .addCommand(update())
    .addCommand(members())
    .addCommand(change("add", "Make users members of a group"))
    .addCommand(change("remove", "Take users out of a group"))
    .addCommand(remove());
}

function create(): Command {
  return connected("create", "Create a group", ['ostiary group create staff --name "Staff" --level 5'])
    .argument("<code>")
    .option("--name <name>", "default: the code")
    .option("--level <number>", "a rank; a smaller number is a higher one", count(0, 1_000_000))
    .action(async (code: string, options: ConnectionOptions & { name?: string; level?: number }) => {
      const { name, level } = options;
      const body = {
        code,
        ...(name === undefined ? {} : { name }),
        ...(level === undefined ? {} : { level }),
      };
      const group = await withClient(options, (client) => client.call<Group>("POST", "/groups", body));
      answer(options.json, group, () => `created ${group.code} (${group.id})`);
    });
}

function list(): Command {
  return connected("list", "List groups, newest first", ["ostiary group list --user zs"])
    .option("--user <user>", "only the groups of this user: username, address, number or id")
    .option("--limit <number>", "at most", count(1), 50)
    .action(async (options: ConnectionOptions & { user?: string; limit: number }) => {
      const groups = await withClient(options, async (client) => {
        const userId = options.user ? (await findUser(client, options.user)).id : undefined;
        return client.list<Group>("/groups", { userId }, options.limit);
      });
      answer(options.json, groups, () =>
        table(
          ["ID", "CODE", "NAME", "LEVEL"],
          groups.map(({ id, code, name, level }) => [id, code, name, level]),
        ),
      );
    });
}

function update(): Command {
  return connected("update", "Change a group's name or level", [
    "ostiary group update staff --level 3",
    "ostiary group update staff --no-level",
  ])
    .argument("<code>")
    .option("--name <name>", "what people call it")
    .option("--level <number>", "a rank; a smaller number is a higher one", count(0, 1_000_000))
    .option("--no-level", "it gives no rank")
    .action(
      async (code: string, options: ConnectionOptions & { name?: string; level?: number | boolean }) => {
        const { name, level } = options;
        const body = {
          ...(name === undefined ? {} : { name }),
          ...(typeof level === "number" ? { level } : level === false ? { level: null } : {}),
        };
        if (Object.keys(body).length === 0)
          throw new UsageFailure("Nothing to change: give --name or --level.");
        const group = await withClient(options, async (client) => {
          const { id } = await findByCode(client, "group", code);
          return client.call<Group>("PATCH", pathOf("/groups", id), body);
        });
        answer(options.json, group, () => `changed ${group.code} (${group.id})`);
      },
    );
}

function members(): Command {
  return connected("members", "List the members of a group")
    .argument("<code>")
    .option("--limit <number>", "at most", count(1), 50)
    .action(async (code: string, options: ConnectionOptions & { limit: number }) => {
      const found = await withClient(options, async (client) => {
        const { id } = await findByCode(client, "group", code);
        return client.list<Membership>(`${pathOf("/groups", id)}/members`, {}, options.limit);
      });
      answer(options.json, found, () =>
        table(
          ["USER", "SINCE"],
          found.map(({ userId, joinedAt }) => [userId, joinedAt]),
        ),
      );
    });
}

function change(verb: "add" | "remove", summary: string): Command {
  return connected(verb, summary, [`ostiary group ${verb} staff zs`])
    .argument("<code>")
    .argument("<user...>", "username, address, number or id")
    .action(async (code: string, users: string[], options: ConnectionOptions) => {
      const result = await withClient(options, async (client) => {
        const { id } = await findByCode(client, "group", code);
        const found = await Promise.all(users.map((user) => findUser(client, user)));
        const userIds = [...new Set(found.map((user) => user.id))];
        return client.call<{ changed: number }>("POST", `${pathOf("/groups", id)}/members/${verb}`, {
          userIds,
        });
      });
      answer(options.json, result, () => `${result.changed} ${verb === "add" ? "added" : "removed"}`);
    });
}

function remove(): Command {
  return connected("delete", "Delete a group; its members lose what was given to it")
    .argument("<code>")
    .action(async (code: string, options: ConnectionOptions) => {
      const { id } = await withClient(options, async (client) => {
        const group = await findByCode(client, "group", code);
        await client.call("DELETE", pathOf("/groups", group.id));
        return group;
      });
      answer(options.json, { deleted: id }, () => `deleted ${code}`);
    });
}
