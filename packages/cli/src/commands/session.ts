import type { RevokedSessions, Session } from "@ostiary/contracts";
import { Command } from "commander";
import { type ConnectionOptions, withClient } from "../client.ts";
import { UsageFailure } from "../failure.ts";
import { findUser, pathOf } from "../find.ts";
import { connected, count } from "../options.ts";
import { answer, table } from "../output.ts";

export function sessionCommand(): Command {
  return new Command("session")
    .description("List and end sessions: signed-in browsers and devices")
    .addCommand(list())
    .addCommand(revoke());
}

function list(): Command {
  return connected("list", "List sessions, newest first", ["ostiary session list --user zs"])
    .option("--user <user>", "only of this user: username, address, number or id")
    .option("--limit <number>", "at most", count(1), 50)
    .action(async (options: ConnectionOptions & { user?: string; limit: number }) => {
      const sessions = await withClient(options, async (client) => {
        const userId = options.user ? (await findUser(client, options.user)).id : undefined;
        return client.list<Session>("/sessions", { userId }, options.limit);
      });
      answer(options.json, sessions, () =>
        table(
          ["ID", "USER", "DEVICE", "IP", "LAST SEEN", "EXPIRES"],
          sessions.map((one) => [one.id, one.userId, one.device, one.ip, one.lastSeenAt, one.expiresAt]),
        ),
      );
    });
}

function revoke(): Command {
  return connected("revoke", "End a session, or all of a user; their tokens end with them", [
    "ostiary session revoke 019a8c3f2b7e5d0c4a1b9e7f",
    "ostiary session revoke --user zs",
  ])
    .argument("[id]", "as `ostiary session list` shows it")
    .option("--user <user>", "all sessions of this user")
    .action(async (id: string | undefined, options: ConnectionOptions & { user?: string }) => {
      if ((id === undefined) === (options.user === undefined)) {
        throw new UsageFailure("Give the id of a session, or --user.");
      }
      const revoked = await withClient(options, async (client) => {
        if (id !== undefined) {
          await client.call("DELETE", pathOf("/sessions", id));
          return 1;
        }
        const user = await findUser(client, options.user ?? "");
        return (await client.call<RevokedSessions>("POST", `/users/${user.id}/sessions/revoke`)).revoked;
      });
      answer(options.json, { revoked }, () => `${revoked} ended`);
    });
}
