import { writeFile } from "node:fs/promises";
import type { BillingRule, CreateBillingRule, LedgerRow, UsageRow } from "@ostiary/contracts";
import { Command, Option } from "commander";
import { type ConnectionOptions, queryOf, withClient } from "../client.ts";
import { Failure } from "../failure.ts";
import { findApplication, findUser, pathOf } from "../find.ts";
import { connected, count } from "../options.ts";
import { answer, say, table } from "../output.ts";

export function usageCommand(): Command {
  return new Command("usage")
    .description("Read what services were called for and what it costs")
    .addCommand(summary())
    .addCommand(ledger())
    .addCommand(billingRules());
}

interface ReadOptions extends ConnectionOptions {
  application?: string;
  user?: string;
  from?: string;
  to?: string;
  by?: string;
  limit: number;
  output?: string;
}

function reading(name: string, text: string, examples: readonly string[]): Command {
  return connected(name, text, examples)
    .option("--application <application>", "only of this application: slug or id")
    .option("--user <user>", "only of this user: username, address, number or id")
    .option("--limit <number>", "rows at most", count(1, 100_000), 1_000)
    .option("-o, --output <file>", "write a table (CSV) to this file");
}

/** The rows, or null when they were written to a file. */
function read<Row>(path: string, options: ReadOptions, query: Record<string, string | undefined>) {
  return withClient(options, async (client) => {
    const applicationId = options.application
      ? (await findApplication(client, options.application)).id
      : undefined;
    const userId = options.user ? (await findUser(client, options.user)).id : undefined;
    const { from, to, by, limit, output } = options;
    const all = { ...query, applicationId, userId, from, to, by, limit: String(limit) };
    if (output === undefined) {
      return (await client.call<{ items: Row[] }>("GET", path + queryOf(all))).items;
    }
    const { body } = await client.text(
      "GET",
      path + queryOf({ ...all, format: "csv" }),
      undefined,
      "text/csv",
    );
    await writeFile(output, body, { mode: 0o600 }).catch((error: Error) => {
      throw new Failure(`${output} cannot be written: ${error.message}`);
    });
    say(`wrote ${output}`);
    return null;
  });
}

function summary(): Command {
  return reading("summary", "Sum calls up, with latencies", [
    "ostiary usage summary --by application,route --from 2026-01-01T00:00:00Z",
    "ostiary usage summary --grain day -o usage.csv",
  ])
    .addOption(new Option("--grain <grain>", "a row for each").choices(["minute", "hour", "day", "total"]))
    .option("--by <words>", "comma-separated: application, user, method, route, status, rule")
    .option("--from <time>", "RFC 3339, inclusive")
    .option("--to <time>", "RFC 3339, exclusive")
    .action(async (options: ReadOptions & { grain?: string }) => {
      const rows = await read<UsageRow>("/usage/summary", options, { grain: options.grain });
      if (rows) answer(options.json, rows, () => tableOf(rows));
    });
}

function ledger(): Command {
  return reading("ledger", "Read what is to be paid", [
    "ostiary usage ledger --by application,user --from 2026-01-01 --to 2026-01-31",
  ])
    .option("--by <words>", "comma-separated: day, application, user, rule; default: all of them")
    .option("--from <day>", "the first day, e.g. 2026-01-01")
    .option("--to <day>", "the last day")
    .action(async (options: ReadOptions) => {
      const rows = await read<LedgerRow>("/usage/ledger", options, {});
      if (rows) answer(options.json, rows, () => tableOf(rows));
    });
}

function tableOf(rows: readonly object[]): string {
  const names = Object.keys(rows[0] ?? { nothing: 0 });
  return table(
    names.map((name) => name.toUpperCase()),
    rows.map((row) => {
      const values = new Map<string, string | number | null>(Object.entries(row));
      return names.map((name) => values.get(name) ?? null);
    }),
  );
}

function billingRules(): Command {
  return new Command("rule")
    .description("List and manage billing rules")
    .addCommand(
      connected("list", "List billing rules, newest first")
        .option("--limit <number>", "at most", count(1), 50)
        .action(async (options: ConnectionOptions & { limit: number }) => {
          const rules = await withClient(options, (client) =>
            client.list<BillingRule>("/billing-rules", {}, options.limit),
          );
          answer(options.json, rules, () =>
            table(
              ["ID", "APPLICATION", "METHOD", "PATH", "KIND", "PRICE", "STATUS"],
              rules.map((one) => [
                one.id,
                one.applicationId,
                one.method,
                one.path,
                one.kind,
                one.price,
                one.status,
              ]),
            ),
          );
        }),
    )
    .addCommand(
      connected("create", "Say what calls cost", [
        "ostiary usage rule create '/chat/{model}' --price 0.0035 --application shop",
      ])
        .argument("<path>", "`*` or `{name}` is any segment, `**` at the end any number of them")
        .requiredOption("--price <decimal>", "of one call")
        .option("--application <application>", "of this one only: slug or id")
        .option("--method <method>", "of this method only")
        .option("--dynamic", "what the answer's X-Match-Cost says, else the price")
        .action(createRule),
    )
    .addCommand(
      connected("delete", "Delete a billing rule; what was charged stays")
        .argument("<id>", "as `ostiary usage rule list` shows it")
        .action(async (id: string, options: ConnectionOptions) => {
          await withClient(options, (client) => client.call("DELETE", pathOf("/billing-rules", id)));
          answer(options.json, { deleted: id }, () => `deleted ${id}`);
        }),
    );
}

interface CreateOptions extends ConnectionOptions {
  price: string;
  application?: string;
  method?: string;
  dynamic?: boolean;
}

async function createRule(path: string, options: CreateOptions): Promise<void> {
  const { price, method } = options;
  const rule = await withClient(options, async (client) => {
    const application = options.application ? await findApplication(client, options.application) : null;
    const body: CreateBillingRule = {
      path,
      price,
      applicationId: application?.id ?? null,
      kind: options.dynamic ? "dynamic" : "static",
      ...(method === undefined ? {} : { method: method.toUpperCase() }),
    };
    return client.call<BillingRule>("POST", "/billing-rules", body);
  });
  answer(options.json, rule, () => `created ${rule.path} (${rule.id})`);
}
