import type { Organization, Unit, UnitMember } from "@ostiary/contracts";
import { Command } from "commander";
import { type ConnectionOptions, withClient } from "../client.ts";
import { findByCode, findUnit, findUser, pathOf } from "../find.ts";
import { connected, count } from "../options.ts";
import { answer, table } from "../output.ts";

/** Units of one organization that the tree shows. */
const MANY = 100_000;

export function organizationCommand(): Command {
  return new Command("organization")
    .description("List and manage organizations, their units and members")
    .addCommand(create())
    .addCommand(list())
    .addCommand(tree())
    .addCommand(addUnit())
    .addCommand(moveUnit())
    .addCommand(members())
    .addCommand(addMember())
    .addCommand(removeMember());
}

interface NameOptions extends ConnectionOptions {
  name?: string;
}

function create(): Command {
  return connected("create", "Create an organization", [
    'ostiary organization create example --name "Example Ltd"',
  ])
    .argument("<code>")
    .option("--name <name>", "default: the code")
    .action(async (code: string, options: NameOptions) => {
      const body = { code, ...(options.name === undefined ? {} : { name: options.name }) };
      const made = await withClient(options, (client) =>
        client.call<Organization>("POST", "/organizations", body),
      );
      answer(options.json, made, () => `created ${made.code} (${made.id})`);
    });
}

function list(): Command {
  return connected("list", "List organizations, newest first")
    .option("--limit <number>", "at most", count(1), 50)
    .action(async (options: ConnectionOptions & { limit: number }) => {
      const found = await withClient(options, (client) =>
        client.list<Organization>("/organizations", {}, options.limit),
      );
      answer(options.json, found, () =>
        table(
          ["ID", "CODE", "NAME"],
          found.map(({ id, code, name }) => [id, code, name]),
        ),
      );
    });
}

function tree(): Command {
  return connected("tree", "Show the units of an organization")
    .argument("<code>")
    .action(async (code: string, options: ConnectionOptions) => {
      const units = await withClient(options, async (client) => {
        const { id } = await findByCode(client, "organization", code);
        return client.list<Unit>("/units", { organizationId: id }, MANY);
      });
      answer(options.json, units, () => treeOf(units).join("\n"));
    });
}

function treeOf(units: readonly Unit[], parentId: string | null = null, indent = ""): string[] {
  return units
    .filter((unit) => unit.parentId === parentId)
    .sort((a, b) => a.position - b.position || (a.code < b.code ? -1 : 1))
    .flatMap((unit) => [
      `${indent}${unit.code}${unit.name === unit.code ? "" : `  ${unit.name}`}`,
      ...treeOf(units, unit.id, `${indent}  `),
    ]);
}

function addUnit(): Command {
  return connected("add-unit", "Create a unit below another one", [
    "ostiary organization add-unit example rd",
    "ostiary organization add-unit example/rd compilers",
  ])
    .argument("<parent>", "organization/unit, or the organization's code")
    .argument("<code>")
    .option("--name <name>", "default: the code")
    .action(async (parent: string, code: string, options: NameOptions) => {
      const unit = await withClient(options, async (client) => {
        const { id: parentId, organizationId } = await findUnit(client, parent);
        const name = options.name === undefined ? {} : { name: options.name };
        return client.call<Unit>("POST", "/units", { organizationId, parentId, code, ...name });
      });
      answer(options.json, unit, () => `created ${unit.code} (${unit.id})`);
    });
}

function moveUnit(): Command {
  return connected("move-unit", "Move a unit, with all below it", [
    "ostiary organization move-unit example/rd example/labs",
  ])
    .argument("<unit>", "organization/unit")
    .argument("<parent>", "organization/unit, or the organization's code")
    .action(async (unit: string, parent: string, options: ConnectionOptions) => {
      const moved = await withClient(options, async (client) => {
        const { id } = await findUnit(client, unit);
        const { id: parentId } = await findUnit(client, parent);
        return client.call<Unit>("PATCH", pathOf("/units", id), { parentId });
      });
      answer(options.json, moved, () => `moved ${unit} below ${parent}`);
    });
}

function members(): Command {
  return connected("members", "List the members of a unit")
    .argument("<unit>", "organization/unit, or the organization's code")
    .option("--limit <number>", "at most", count(1), 50)
    .action(async (unit: string, options: ConnectionOptions & { limit: number }) => {
      const found = await withClient(options, async (client) => {
        const { id } = await findUnit(client, unit);
        return client.list<UnitMember>(`${pathOf("/units", id)}/members`, {}, options.limit);
      });
      answer(options.json, found, () =>
        table(
          ["USER", "MAIN", "POSITION", "SINCE"],
          found.map(({ userId, main, position, joinedAt }) => [userId, main, position, joinedAt]),
        ),
      );
    });
}

interface MemberOptions extends ConnectionOptions {
  main?: boolean;
  position?: string;
}

function addMember(): Command {
  return connected("add-member", "Make a user a member of a unit, or change what he is there", [
    'ostiary organization add-member example/rd zs --main --position "Head"',
  ])
    .argument("<unit>", "organization/unit, or the organization's code")
    .argument("<user>", "username, address, number or id")
    .option("--main", "the user mostly belongs here")
    .option("--position <title>", "what the user is there")
    .action(async (unit: string, user: string, options: MemberOptions) => {
      const { main, position } = options;
      const body = { ...(main ? { main } : {}), ...(position === undefined ? {} : { position }) };
      const member = await withClient(options, async (client) => {
        const { id } = await findUnit(client, unit);
        const { id: userId } = await findUser(client, user);
        return client.call<UnitMember>("PUT", `${pathOf("/units", id)}/members/${userId}`, body);
      });
      answer(options.json, member, () => `${user} is a member of ${unit}`);
    });
}

function removeMember(): Command {
  return connected("remove-member", "Take a user out of a unit")
    .argument("<unit>", "organization/unit, or the organization's code")
    .argument("<user>", "username, address, number or id")
    .action(async (unit: string, user: string, options: ConnectionOptions) => {
      const removed = await withClient(options, async (client) => {
        const { id } = await findUnit(client, unit);
        const { id: userId } = await findUser(client, user);
        await client.call("DELETE", `${pathOf("/units", id)}/members/${userId}`);
        return userId;
      });
      answer(options.json, { removed }, () => `${user} is no member of ${unit} any more`);
    });
}
