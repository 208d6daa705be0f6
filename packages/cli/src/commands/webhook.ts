import type { CreatedWebhook, Webhook, WebhookDelivery, WebhookDeliveryDetails } from "@ostiary/contracts";
import { Command, Option } from "commander";
import { type ConnectionOptions, withClient } from "../client.ts";
import { findApplication, pathOf } from "../find.ts";
import { collect, connected, count } from "../options.ts";
import { answer, details, print, table } from "../output.ts";

export function webhookCommand(): Command {
  return new Command("webhook")
    .description("Tell other programs of events")
    .addCommand(create())
    .addCommand(list())
    .addCommand(remove())
    .addCommand(deliveries())
    .addCommand(delivery())
    .addCommand(replay())
    .addCommand(synchronize());
}

interface CreateOptions extends ConnectionOptions {
  event: string[];
  secret?: string;
  application?: string;
  format?: string;
  name?: string;
}

function create(): Command {
  return connected("create", "Tell an address of events from now on", [
    "ostiary webhook create https://shop.example.com/hooks --event 'user.*'",
    "ostiary webhook create https://app.example.com/webhook/auth --format huace --event user.created",
  ])
    .argument("<url>", "where deliveries are sent")
    .requiredOption("--event <pattern>", "an event, user.* or *; may be repeated", collect)
    .option("--secret <text>", "signs deliveries; default: a new one, shown once")
    .option("--application <application>", "told of who may use this application: slug or id")
    .option("--name <text>", "for people")
    .addOption(new Option("--format <name>", "default: native").choices(["native", "huace"]))
    .action(async (url: string, options: CreateOptions) => {
      const made = await withClient(options, async (client) => {
        const { application, event: events, secret, format, name } = options;
        const applicationId = application ? (await findApplication(client, application)).id : undefined;
        return client.call<CreatedWebhook>("POST", "/webhooks", {
          url,
          events,
          secret,
          format,
          name,
          applicationId,
        });
      });
      if (options.json) answer(true, made, () => "");
      else
        print(`${made.secret ?? "(the secret that you gave)"}\n(signs the deliveries of webhook ${made.id})`);
    });
}

function list(): Command {
  return connected("list", "List webhooks, newest first")
    .option("--limit <number>", "at most", count(1), 50)
    .action(async (options: ConnectionOptions & { limit: number }) => {
      const found = await withClient(options, (client) =>
        client.list<Webhook>("/webhooks", {}, options.limit),
      );
      answer(options.json, found, () =>
        table(
          ["ID", "URL", "EVENTS", "FORMAT", "STATUS", "FAILURES"],
          found.map((webhook) => [
            webhook.id,
            webhook.url,
            webhook.events.join(" "),
            webhook.format,
            webhook.status,
            webhook.failures,
          ]),
        ),
      );
    });
}

function remove(): Command {
  return connected("delete", "Tell an address of nothing any more", [
    "ostiary webhook delete 019a8c3f2b7e5d0c4a1b9e7f",
  ])
    .argument("<id>", "as `ostiary webhook list` shows it")
    .action(async (id: string, options: ConnectionOptions) => {
      await withClient(options, (client) => client.call("DELETE", pathOf("/webhooks", id)));
      answer(options.json, { deleted: id }, () => `deleted ${id}`);
    });
}

function deliveries(): Command {
  return connected("deliveries", "List what a webhook was told, newest first")
    .argument("<id>", "of the webhook")
    .addOption(new Option("--state <state>", "only these").choices(["pending", "delivered", "dead"]))
    .option("--limit <number>", "at most", count(1), 50)
    .action(async (id: string, options: ConnectionOptions & { state?: string; limit: number }) => {
      const found = await withClient(options, (client) =>
        client.list<WebhookDelivery>(
          `${pathOf("/webhooks", id)}/deliveries`,
          { state: options.state },
          options.limit,
        ),
      );
      answer(options.json, found, () =>
        table(
          ["ID", "EVENT", "STATE", "ATTEMPTS", "LAST ANSWER", "NEXT ATTEMPT", "MADE"],
          found.map((one) => [
            one.id,
            one.event,
            one.state,
            one.attempts,
            one.lastError ?? one.lastStatus,
            one.nextAttemptAt,
            one.createdAt,
          ]),
        ),
      );
    });
}

function delivery(): Command {
  return connected("delivery", "Show one delivery with its body and every answer")
    .argument("<id>", "of the webhook")
    .argument("<delivery>", "of the delivery")
    .action(async (id: string, deliveryId: string, options: ConnectionOptions) => {
      const found = await withClient(options, (client) =>
        client.call<WebhookDeliveryDetails>(
          "GET",
          pathOf(`${pathOf("/webhooks", id)}/deliveries`, deliveryId),
        ),
      );
      answer(options.json, found, () => details(found));
    });
}

interface ReplayOptions extends ConnectionOptions {
  from?: string;
  to?: string;
  state?: string;
}

function replay(): Command {
  return connected("replay", "Send deliveries again: one, or those of a time", [
    "ostiary webhook replay 019a8c3f2b7e5d0c4a1b9e7f 019a8c3f2b7e5d0c4a1b9e80",
    "ostiary webhook replay 019a8c3f2b7e5d0c4a1b9e7f --from 2026-01-01T00:00:00Z --state dead",
  ])
    .argument("<id>", "of the webhook")
    .argument("[delivery]", "of one delivery; else those of the time")
    .option("--from <time>", "made from then on; default: all that are kept")
    .option("--to <time>", "made before")
    .addOption(new Option("--state <state>", "only these").choices(["delivered", "dead"]))
    .action(async (id: string, deliveryId: string | undefined, options: ReplayOptions) => {
      const { from = "1970-01-01T00:00:00Z", to, state } = options;
      const result = await withClient(options, (client) => {
        const webhook = pathOf("/webhooks", id);
        return deliveryId === undefined
          ? client.call<{ replayed: number }>("POST", `${webhook}/replay`, { from, to, state })
          : client.call<{ replayed: number }>(
              "POST",
              `${pathOf(`${webhook}/deliveries`, deliveryId)}/replay`,
            );
      });
      answer(options.json, result, () => `${result.replayed} are sent again`);
    });
}

function synchronize(): Command {
  return connected("synchronize", "Ask a webhook's receiver to send its users")
    .argument("<id>", "of the webhook")
    .action(async (id: string, options: ConnectionOptions) => {
      await withClient(options, (client) => client.call("POST", `${pathOf("/webhooks", id)}/synchronize`));
      answer(options.json, { asked: id }, () => `asked ${id}`);
    });
}
