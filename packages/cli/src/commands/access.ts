import type {
  AccessExplanation,
  AccessGrant,
  AccessList,
  AccessQuestion,
  AccessSimulated,
  AccessVerdict,
  AccessWho,
  Subject,
} from "@ostiary/contracts";
import { Command, Option } from "commander";
import { type Client, type ConnectionOptions, withClient } from "../client.ts";
import { UsageFailure } from "../failure.ts";
import { findApplication, findByCode, findUnit, findUser } from "../find.ts";
import { collect, connected, count } from "../options.ts";
import { answer, table } from "../output.ts";

export function accessCommand(): Command {
  return new Command("access")
    .description("Ask who may do what, and why")
    .addCommand(check())
    .addCommand(explain())
    .addCommand(list())
    .addCommand(who())
    .addCommand(simulate());
}

interface SubjectOptions extends ConnectionOptions {
  user?: string;
  group?: string;
  unit?: string;
  application?: string;
  role?: string;
  namespace?: string;
  attribute?: string[];
}

/** A command about somebody. */
function about(name: string, summary: string, examples: readonly string[]): Command {
  return connected(name, summary, examples)
    .option("--user <user>", "about this user: username, address, number or id")
    .option("--group <code>", "about this group")
    .option("--unit <organization/unit>", "about this unit; the organization's code alone for all of it")
    .option("--application <application>", "about this application: slug or id")
    .option("--role <role>", "about this role: code, or namespace/code")
    .option("--namespace <code>", "default: `default`");
}

const withAttributes = (command: Command): Command =>
  command.option(
    "--attribute <name=value>",
    "what conditions may ask about; the value as JSON or as text; may be repeated",
    collect,
  );

/** @throws UsageFailure unless exactly one subject is named. */
async function subjectOf(client: Client, options: SubjectOptions): Promise<Subject> {
  const { user, group, unit, application, role } = options;
  if ([user, group, unit, application, role].filter((one) => one !== undefined).length !== 1) {
    throw new UsageFailure("Give one of --user, --group, --unit, --application and --role.");
  }
  if (user !== undefined) return { type: "user", id: (await findUser(client, user)).id };
  if (group !== undefined) return { type: "group", id: (await findByCode(client, "group", group)).id };
  if (unit !== undefined) return { type: "unit", id: (await findUnit(client, unit)).id };
  if (application !== undefined) {
    return { type: "application", id: (await findApplication(client, application)).id };
  }
  return { type: "role", id: (await findByCode(client, "role", role ?? "")).id };
}

function attributesOf({ attribute }: SubjectOptions): Pick<AccessQuestion, "attributes"> {
  if (!attribute) return {};
  const entries = attribute.map((text) => {
    const equals = text.indexOf("=");
    if (equals < 1) throw new UsageFailure("--attribute is name=value.");
    return [text.slice(0, equals), jsonOrText(text.slice(equals + 1))];
  });
  return { attributes: Object.fromEntries(entries) };
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const namespaceOf = ({ namespace }: { namespace?: string }) => (namespace === undefined ? {} : { namespace });

async function questionOf(
  client: Client,
  action: string,
  resource: string,
  options: SubjectOptions,
): Promise<AccessQuestion> {
  const subject = await subjectOf(client, options);
  return { subject, action, resource, ...namespaceOf(options), ...attributesOf(options) };
}

function check(): Command {
  return withAttributes(
    about("check", "May somebody do this to that? Exit code 1: no", [
      "ostiary access check read books:1 --user zs",
      "ostiary access check open door --user zs --attribute request.ip=10.0.0.1",
    ]),
  )
    .argument("<action>", "of the permission user:read, read")
    .argument("<resource>", "of the permission user:read, user")
    .action(async (action: string, resource: string, options: SubjectOptions) => {
      const verdict = await withClient(options, async (client) =>
        client.call<AccessVerdict>(
          "POST",
          "/access/check",
          await questionOf(client, action, resource, options),
        ),
      );
      answer(options.json, verdict, () => (verdict.allowed ? "yes" : "no"));
      if (!verdict.allowed) process.exitCode = 1;
    });
}

function explain(): Command {
  return withAttributes(
    about("explain", "Why may somebody do this to that, or why not?", [
      "ostiary access explain read books:1 --user zs",
    ]),
  )
    .argument("<action>")
    .argument("<resource>")
    .action(async (action: string, resource: string, options: SubjectOptions) => {
      const explained = await withClient(options, async (client) =>
        client.call<AccessExplanation>(
          "POST",
          "/access/explain",
          await questionOf(client, action, resource, options),
        ),
      );
      answer(options.json, explained, () => wordsOf(explained));
    });
}

const REASONS: Record<AccessExplanation["reason"], string> = {
  allowed: "yes",
  denied: "no: it is denied",
  no_grant: "no: nothing allows it",
  inactive: "no: suspended, deleted or disabled",
};

function wordsOf({ reason, because, wouldAllow }: AccessExplanation): string {
  const ways = because.map(({ effect, applies, chain }) => {
    const way = chain.map(({ type, code, id }) => `${type} ${code ?? id}`).join(" → ");
    return `  ${effect}${applies ? "" : " (its conditions do not hold)"}: ${way}`;
  });
  const ideas = wouldAllow.map(
    ({ type, namespace, code }) => `  the ${type} ${namespace === "default" ? "" : `${namespace}/`}${code}`,
  );
  return [REASONS[reason], ...ways, ...(ideas.length > 0 ? ["what would allow it:", ...ideas] : [])].join(
    "\n",
  );
}

function list(): Command {
  return withAttributes(
    about("list", "What may somebody do in a namespace?", ["ostiary access list --user zs"]),
  ).action(async (options: SubjectOptions) => {
    const listed = await withClient(options, async (client) =>
      client.call<AccessList>("POST", "/access/list", {
        subject: await subjectOf(client, options),
        ...namespaceOf(options),
        ...attributesOf(options),
      }),
    );
    const rows = (["allowed", "denied"] as const).flatMap((verdict) =>
      listed[verdict].map(({ resource, type, actions }) => [
        verdict,
        resource,
        type,
        actions.map(({ action, conditional }) => (conditional ? `${action} (if)` : action)).join(", "),
      ]),
    );
    answer(options.json, listed, () => table(["", "RESOURCE", "TYPE", "ACTIONS"], rows));
  });
}

interface WhoOptions extends ConnectionOptions {
  type?: string;
  namespace?: string;
  limit: number;
}

function who(): Command {
  return connected("who", "Who may do this to that?", ["ostiary access who write user"])
    .argument("<action>")
    .argument("<resource>")
    .addOption(
      new Option("--type <type>", "which kind of subjects").choices([
        "user",
        "group",
        "unit",
        "application",
        "role",
      ]),
    )
    .option("--namespace <code>", "default: `default`")
    .option("--limit <number>", "at most", count(1, 200), 50)
    .action(async (action: string, resource: string, { type, limit, ...options }: WhoOptions) => {
      const body = { action, resource, limit, ...namespaceOf(options), ...(type ? { type } : {}) };
      const found = await withClient(options, (client) =>
        client.call<AccessWho>("POST", "/access/who", body),
      );
      answer(options.json, found, () =>
        table(
          ["TYPE", "ID", "VERDICT"],
          found.items.map(({ subject, verdict }) => [subject.type, subject.id, verdict]),
        ),
      );
    });
}

interface SimulateOptions extends SubjectOptions {
  giveRole?: string;
  givePolicy?: string;
  revokeRole?: string;
}

function simulate(): Command {
  return withAttributes(
    about("simulate", "Might somebody do this to that after a change? Nothing is changed", [
      "ostiary access simulate write user --user zs --give-role editor",
    ]),
  )
    .argument("<action>")
    .argument("<resource>")
    .option("--give-role <role>", "as if the subject had this role too")
    .option("--give-policy <policy>", "as if the subject had this policy too")
    .option("--revoke-role <role>", "as if this role were taken from the subject")
    .action(async (action: string, resource: string, options: SimulateOptions) => {
      const { results } = await withClient(options, async (client) => {
        const question = await questionOf(client, action, resource, options);
        const changes = await changesOf(client, question.subject, options);
        const body = { changes, questions: [question] };
        return client.call<AccessSimulated>("POST", "/access/simulate", body);
      });
      const [result] = results;
      const say = (allowed: boolean | undefined) => (allowed ? "yes" : "no");
      answer(options.json, result, () => `now ${say(result?.before)}, then ${say(result?.after)}`);
    });
}

async function changesOf(client: Client, subject: Subject, options: SimulateOptions): Promise<object[]> {
  const { giveRole, givePolicy, revokeRole } = options;
  const changes: object[] = [];
  if (giveRole !== undefined) {
    const { id: roleId } = await findByCode(client, "role", giveRole);
    changes.push({ type: "grant", grant: { subject, roleId } });
  }
  if (givePolicy !== undefined) {
    const { id: policyId } = await findByCode(client, "policy", givePolicy);
    changes.push({ type: "grant", grant: { subject, policyId } });
  }
  if (revokeRole !== undefined) {
    const { id: roleId } = await findByCode(client, "role", revokeRole);
    const query = { subjectType: subject.type, subjectId: subject.id, roleId };
    const grants = await client.list<AccessGrant>("/access-grants", query, 1);
    changes.push(...grants.map(({ id: grantId }) => ({ type: "revoke", grantId })));
  }
  if (changes.length === 0) {
    throw new UsageFailure("Give --give-role, --give-policy or --revoke-role.");
  }
  return changes;
}
