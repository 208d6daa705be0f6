import { readFile } from "node:fs/promises";
import type { Service, ServiceConfiguration, ServiceInstance } from "@ostiary/contracts";
import { Command } from "commander";
import { type Client, type ConnectionOptions, withClient } from "../client.ts";
import { Failure } from "../failure.ts";
import { pathOf } from "../find.ts";
import { connected, count } from "../options.ts";
import { answer, table } from "../output.ts";

export function serviceCommand(): Command {
  return new Command("service")
    .description("List services and their instances, and configure them")
    .addCommand(list())
    .addCommand(instances())
    .addCommand(configuration())
    .addCommand(configure())
    .addCommand(remove());
}

/** A service by id or, where that is clear, by name. */
async function findService(client: Client, reference: string): Promise<Service> {
  if (/^[0-9a-f]{24}$/.test(reference)) return client.call<Service>("GET", `/services/${reference}`);
  const found = await client.list<Service>("/services", { search: reference }, 1_000);
  const [service, other] = found.filter(({ name }) => name === reference);
  if (!service) throw new Failure(`There is no service ${reference}.`);
  if (other) throw new Failure(`There are several services ${reference}: give the id of one.`);
  return service;
}

function list(): Command {
  return connected("list", "List services, newest first")
    .option("--limit <number>", "at most", count(1), 50)
    .action(async (options: ConnectionOptions & { limit: number }) => {
      const services = await withClient(options, (client) =>
        client.list<Service>("/services", {}, options.limit),
      );
      answer(options.json, services, () =>
        table(
          ["ID", "NAME", "ENVIRONMENT", "TYPE", "STATUS", "ONLINE", "CONFIGURATION"],
          services.map((one) => [
            one.id,
            one.name,
            one.environment,
            one.type,
            one.status,
            one.online,
            one.configurationVersion,
          ]),
        ),
      );
    });
}

function instances(): Command {
  return connected("instances", "List the instances of a service, the running ones first")
    .argument("<service>", "name or id")
    .action(async (reference: string, options: ConnectionOptions) => {
      const { items } = await withClient(options, async (client) => {
        const { id } = await findService(client, reference);
        return client.call<{ items: ServiceInstance[] }>("GET", `${pathOf("/services", id)}/instances`);
      });
      answer(options.json, items, () =>
        table(
          ["INSTANCE", "STATE", "ADDRESSES", "PORT", "LAST SEEN"],
          items.map((one) => [one.instanceId, one.state, one.ips.join(" "), one.port, one.lastSeenAt]),
        ),
      );
    });
}

function configuration(): Command {
  return connected("configuration", "Show a service's configuration, or its versions")
    .argument("<service>", "name or id")
    .option("--history", "the versions, newest first, with who wrote them")
    .action(async (reference: string, options: ConnectionOptions & { history?: boolean }) => {
      await withClient(options, async (client) => {
        const path = pathOf("/services", (await findService(client, reference)).id);
        if (!options.history) {
          const now = await client.call<{ configuration: unknown }>("GET", `${path}/configuration`);
          answer(options.json, now, () => JSON.stringify(now.configuration, null, 2));
          return;
        }
        const versions = await client.list<ServiceConfiguration>(`${path}/configurations`, {}, 50);
        answer(options.json, versions, () =>
          table(
            ["VERSION", "WRITTEN", "BY", "NOTE"],
            versions.map((one) => [one.version, one.createdAt, one.actorId ?? one.actorType, one.note]),
          ),
        );
      });
    });
}

function configure(): Command {
  return connected(
    "configure",
    "Write a service's configuration; instances get it with their next heartbeat",
    ["ostiary service configure billing settings.json --note 'longer timeout'"],
  )
    .argument("<service>", "name or id")
    .argument("<file>", "a JSON object; - for standard input")
    .option("--note <text>", "why; shown in the history")
    .action(async (reference: string, file: string, options: ConnectionOptions & { note?: string }) => {
      const body = {
        configuration: await readObject(file),
        ...(options.note === undefined ? {} : { note: options.note }),
      };
      const written = await withClient(options, async (client) => {
        const path = pathOf("/services", (await findService(client, reference)).id);
        return client.call<{ version: number }>("PUT", `${path}/configuration`, body);
      });
      answer(options.json, written, () => `wrote version ${written.version}`);
    });
}

async function readObject(file: string): Promise<unknown> {
  const text = await readFile(file === "-" ? "/dev/stdin" : file, "utf8").catch((error: Error) => {
    throw new Failure(`${file} cannot be read: ${error.message}`);
  });
  try {
    return JSON.parse(text);
  } catch {
    throw new Failure(`${file} is no JSON.`);
  }
}

function remove(): Command {
  return connected("delete", "Delete a service that does not run")
    .argument("<service>", "name or id")
    .action(async (reference: string, options: ConnectionOptions) => {
      const id = await withClient(options, async (client) => {
        const service = await findService(client, reference);
        await client.call("DELETE", pathOf("/services", service.id));
        return service.id;
      });
      answer(options.json, { deleted: id }, () => `deleted ${id}`);
    });
}
