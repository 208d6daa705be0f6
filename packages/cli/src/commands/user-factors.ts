import type { UserFactors } from "@ostiary/contracts";
import { Command } from "commander";
import { type ConnectionOptions, withClient } from "../client.ts";
import { findUser, pathOf } from "../find.ts";
import { connected } from "../options.ts";
import { answer, table } from "../output.ts";

const REFERENCE = "username, e-mail address, phone number or id";

export function factorsCommand(): Command {
  return new Command("factors")
    .description("List and remove what a user can prove himself with")
    .addCommand(list())
    .addCommand(remove())
    .addCommand(reset());
}

function list(): Command {
  return connected("list", "List authenticator apps, passkeys, addresses and recovery codes", [
    "ostiary user factors list zs",
  ])
    .argument("<user>", REFERENCE)
    .action(async (reference: string, options: ConnectionOptions) => {
      const factors = await withClient(options, async (client) => {
        const { id } = await findUser(client, reference);
        return client.call<UserFactors>("GET", `${pathOf("/users", id)}/factors`);
      });
      answer(options.json, factors, () => table(["KIND", "NAME", "LAST USED", "ID"], rowsOf(factors)));
    });
}

function rowsOf(factors: UserFactors): (string | null)[][] {
  const { items, password, email, phone, backupEmail, recoveryCodes } = factors;
  const others: [kind: string, value: string | null][] = [
    ["password", password ? "" : null],
    ["email", email],
    ["phone", phone],
    ["backup email", backupEmail],
    ["recovery codes", recoveryCodes > 0 ? `${recoveryCodes} left` : null],
  ];
  return [
    ...items.map(({ kind, name, lastUsedAt, id }) => [kind, name, lastUsedAt, id]),
    ...others.filter(([, value]) => value !== null).map(([kind, value]) => [kind, value, null, null]),
  ];
}

function remove(): Command {
  return connected("remove", "Remove one factor, such as a lost phone", [
    "ostiary user factors remove zs 019a8c3f2b7e5d0c4a1b9e7f",
  ])
    .argument("<user>", REFERENCE)
    .argument("<id>", "as `ostiary user factors list` shows it")
    .action(async (reference: string, id: string, options: ConnectionOptions) => {
      await withClient(options, async (client) => {
        const user = await findUser(client, reference);
        await client.call("DELETE", pathOf(`${pathOf("/users", user.id)}/factors`, id));
      });
      answer(options.json, { id, removed: true }, () => "removed");
    });
}

function reset(): Command {
  return connected(
    "reset",
    "Remove all factors but the password, recovery codes and remembered devices too",
    ["ostiary user factors reset zs"],
  )
    .argument("<user>", REFERENCE)
    .action(async (reference: string, options: ConnectionOptions) => {
      const id = await withClient(options, async (client) => {
        const user = await findUser(client, reference);
        await client.call("DELETE", `${pathOf("/users", user.id)}/factors`);
        return user.id;
      });
      answer(
        options.json,
        { id, reset: true },
        () => "removed; the user sets up new ones where they are demanded",
      );
    });
}
