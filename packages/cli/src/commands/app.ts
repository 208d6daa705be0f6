import {
  type Application,
  type ApplicationSecret,
  type CreatedApplication,
  type CreatedApplicationSecret,
  GRANT_TYPES,
  SCOPES,
  TOKEN_ENDPOINT_AUTH_METHODS,
} from "@ostiary/contracts";
import { Command, Option } from "commander";
import { type ConnectionOptions, withClient } from "../client.ts";
import { UsageFailure } from "../failure.ts";
import { findApplication, findUser, pathOf } from "../find.ts";
import { collect, connected, count } from "../options.ts";
import { answer, details, table } from "../output.ts";

const REFERENCE = "slug or id";

export function appCommand(): Command {
  return new Command("app")
    .description("List and manage applications (OAuth clients)")
    .addCommand(create())
    .addCommand(list())
    .addCommand(show())
    .addCommand(update())
    .addCommand(rotateSecret())
    .addCommand(assign("assign", "PUT", "Let a user use an application whose access is `assigned`"))
    .addCommand(assign("unassign", "DELETE", "Take an application away from a user"))
    .addCommand(remove());
}

interface Values {
  name?: string;
  redirectUri?: string[];
  postLogoutRedirectUri?: string[];
  returnOrigin?: string[];
  grant?: string[];
  scope?: string[];
  auth?: string;
  access?: string;
  consent?: string;
  administers?: boolean;
}

function withValues(command: Command): Command {
  return command
    .option("--name <text>", "shown to people")
    .option("--redirect-uri <uri>", "where sign-ins may return to, exactly; may be repeated", collect)
    .option("--post-logout-redirect-uri <uri>", "where sign-outs may go; may be repeated", collect)
    .option("--return-origin <origin>", "for log-ins by ticket; may be repeated", collect)
    .addOption(repeated("--grant <type>", "may be repeated", GRANT_TYPES))
    .addOption(repeated("--scope <scope>", "that it may ask for; may be repeated", SCOPES))
    .addOption(
      new Option("--auth <method>", "how it authenticates itself; none: a public client").choices([
        ...TOKEN_ENDPOINT_AUTH_METHODS,
      ]),
    )
    .addOption(new Option("--access <who>", "who may use it").choices(["everyone", "assigned"]))
    .addOption(new Option("--consent <how>", "implicit: nobody is asked").choices(["ask", "implicit"]));
}

function repeated(flags: string, description: string, choices: readonly string[]): Option {
  return new Option(flags, `${description} (${choices.join(", ")})`).argParser((value: string, before) => {
    if (!choices.includes(value))
      throw new UsageFailure(`${flags}: ${value} is none of ${choices.join(", ")}.`);
    return collect(value, before as string[] | undefined);
  });
}

function valuesOf(options: Values): object {
  const values = {
    name: options.name,
    redirectUris: options.redirectUri,
    postLogoutRedirectUris: options.postLogoutRedirectUri,
    allowedReturnOrigins: options.returnOrigin,
    grantTypes: options.grant,
    scopes: options.scope,
    tokenEndpointAuthMethod: options.auth,
    access: options.access,
    consent: options.consent,
    administers: options.administers === undefined ? undefined : options.administers ? "tenant" : null,
  };
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

function create(): Command {
  return withValues(
    connected("create", "Create an application; prints its id and secret", [
      "ostiary app create shop --redirect-uri https://shop.example.com/callback",
      "ostiary app create batch --grant client_credentials",
      "ostiary app create spa --auth none --redirect-uri https://spa.example.com/",
    ]),
  )
    .argument("<slug>", "lowercase letters, digits and hyphens")
    .option("--administers", "its own tokens may manage the whole tenant")
    .action(async (slug: string, options: ConnectionOptions & Values) => {
      const body = { name: slug, ...valuesOf(options), slug };
      const made = await withClient(options, (client) =>
        client.call<CreatedApplication>("POST", "/applications", body),
      );
      answer(options.json, made, () =>
        [
          `created ${made.slug}`,
          `client id      ${made.id}`,
          ...(made.secret ? [`client secret  ${made.secret}   (shown this once)`] : []),
        ].join("\n"),
      );
    });
}

function list(): Command {
  return connected("list", "List applications, newest first")
    .option("--search <text>", "part of slug or name")
    .option("--limit <number>", "at most", count(1), 50)
    .action(async (options: ConnectionOptions & { search?: string; limit: number }) => {
      const applications = await withClient(options, (client) =>
        client.list<Application>("/applications", { search: options.search }, options.limit),
      );
      answer(options.json, applications, () =>
        table(
          ["ID", "SERIAL", "SLUG", "NAME", "ACCESS", "STATUS"],
          applications.map((one) => [one.id, one.serial, one.slug, one.name, one.access, one.status]),
        ),
      );
    });
}

function show(): Command {
  return connected("show", "Show an application", ["ostiary app show shop"])
    .argument("<application>", REFERENCE)
    .action(async (reference: string, options: ConnectionOptions) => {
      const application = await withClient(options, (client) => findApplication(client, reference));
      answer(options.json, application, () => details(application));
    });
}

function update(): Command {
  return withValues(
    connected("update", "Change an application; lists are replaced as a whole", [
      "ostiary app update shop --redirect-uri https://a.example/cb --redirect-uri https://b.example/cb",
      "ostiary app update shop --disable",
    ]),
  )
    .argument("<application>", REFERENCE)
    .option("--slug <slug>", "another one")
    .option("--administers", "its own tokens may manage the whole tenant")
    .option("--no-administers", "not any more")
    .option("--disable", "nothing works for it any more")
    .option("--enable", "it works again")
    .action(
      async (
        reference: string,
        options: ConnectionOptions & Values & { slug?: string; disable?: boolean; enable?: boolean },
      ) => {
        if (options.disable && options.enable) throw new UsageFailure("Give --disable or --enable.");
        const change = {
          ...valuesOf(options),
          ...(options.slug === undefined ? {} : { slug: options.slug }),
          ...(options.disable ? { status: "disabled" } : options.enable ? { status: "active" } : {}),
        };
        const application = await withClient(options, async (client) => {
          const { id } = await findApplication(client, reference);
          return client.call<Application>("PATCH", pathOf("/applications", id), change);
        });
        answer(options.json, application, () => details(application));
      },
    );
}

function rotateSecret(): Command {
  return connected(
    "rotate-secret",
    "Give an application a new secret; the present ones work on for a while",
    ["ostiary app rotate-secret shop", "ostiary app rotate-secret shop --overlap 0"],
  )
    .argument("<application>", REFERENCE)
    .option("--overlap <seconds>", "for which the present secrets still work", count(0, 31_536_000), 86_400)
    .action(async (reference: string, options: ConnectionOptions & { overlap: number }) => {
      const secret = await withClient(options, async (client) => {
        const { id } = await findApplication(client, reference);
        const secrets = `/applications/${id}/secrets`;
        if (options.overlap > 0) {
          const expireOthersAt = new Date(Date.now() + options.overlap * 1_000).toISOString();
          return client.call<CreatedApplicationSecret>("POST", secrets, { expireOthersAt });
        }
        const before = await client.call<{ items: ApplicationSecret[] }>("GET", secrets);
        const made = await client.call<CreatedApplicationSecret>("POST", secrets, {});
        for (const old of before.items) await client.call("DELETE", pathOf(secrets, old.id));
        return made;
      });
      answer(options.json, secret, () => `new secret, shown this once: ${secret.secret}`);
    });
}

function assign(verb: string, method: "PUT" | "DELETE", summary: string): Command {
  return connected(verb, summary, [`ostiary app ${verb} shop zs`])
    .argument("<application>", REFERENCE)
    .argument("<user>", "username, e-mail address, phone number or id")
    .action(async (reference: string, person: string, options: ConnectionOptions) => {
      await withClient(options, async (client) => {
        const application = await findApplication(client, reference);
        const user = await findUser(client, person);
        await client.call(method, `/applications/${application.id}/users/${user.id}`);
      });
      answer(options.json, { [verb]: { application: reference, user: person } }, () => "done");
    });
}

function remove(): Command {
  return connected("delete", "Delete an application with its secrets, keys and tokens", [
    "ostiary app delete shop --yes",
  ])
    .argument("<application>", REFERENCE)
    .option("--yes", "do it; it cannot be undone")
    .action(async (reference: string, options: ConnectionOptions & { yes?: boolean }) => {
      if (!options.yes) throw new UsageFailure("This cannot be undone. Add --yes to do it.");
      const application = await withClient(options, async (client) => {
        const found = await findApplication(client, reference);
        await client.call("DELETE", pathOf("/applications", found.id));
        return found;
      });
      answer(options.json, { deleted: application.id }, () => `deleted ${application.slug}`);
    });
}
