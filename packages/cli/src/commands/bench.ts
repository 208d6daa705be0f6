import { Command } from "commander";
import { Failure, UsageFailure } from "../failure.ts";
import { generateLoad, type Load } from "../load.ts";
import { count, withExamples } from "../options.ts";
import { answer, say, table } from "../output.ts";

interface BenchOptions {
  clientId?: string;
  clientSecret?: string;
  token?: string;
  seconds: number;
  connections: number;
  json?: boolean;
}

export function benchCommand(): Command {
  const summary = "Put load on a running server and say how fast it answers";
  const command = new Command("bench")
    .summary(summary)
    .description(
      `${summary}: client credentials, introspection, user info and the token check of the huace dialect. This ` +
        "program takes processor time too, so run it on another machine for real figures.",
    )
    .argument("<url>", "address of the server, with /t/<slug> for another tenant than `default`")
    .requiredOption(
      "--client-id <id>",
      "of an application with the grant client_credentials (OSTIARY_CLIENT_ID)",
      process.env["OSTIARY_CLIENT_ID"],
    )
    .option("--client-secret <secret>", "its secret; better in OSTIARY_CLIENT_SECRET")
    .option(
      "--token <token>",
      "a user's access token with the scope openid; without it user info is left out",
    )
    .option("--seconds <number>", "of each measurement", count(1, 600), 5)
    .option("--connections <number>", "requests at a time", count(1, 1_000), 32)
    .option("--json", "answer in JSON")
    .action(bench);
  return withExamples(command, [
    "OSTIARY_CLIENT_SECRET=… ostiary bench https://id.example.com --client-id 5f0c00000000000000000001",
  ]);
}

interface Measurement {
  name: string;
  requests: number;
  perSecond: number;
  p50Milliseconds: number;
  p99Milliseconds: number;
  failed: number;
}

async function bench(url: string, options: BenchOptions): Promise<void> {
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) {
    throw new UsageFailure("The address must be such as https://id.example.com.");
  }
  const base = url.replace(/\/+$/, "");
  const clientSecret = options.clientSecret ?? process.env["OSTIARY_CLIENT_SECRET"];
  if (!options.clientId || !clientSecret) {
    throw new UsageFailure("Give --client-id and --client-secret (or OSTIARY_CLIENT_SECRET).");
  }
  const client = { id: options.clientId, secret: clientSecret };
  const token = options.token ?? (await fetchToken(base, client));
  const results: Measurement[] = [];
  for (const { name, load } of scenarios(base, client, token, options.token !== undefined)) {
    say(`${name}: ${options.seconds} s with ${options.connections} connections …`);
    const result = await generateLoad(load, options);
    if (result.requests === 0) throw new Failure(`${base} gave no answer in ${options.seconds} s.`);
    results.push({ name, ...result });
  }
  answer(options.json, results, () =>
    table(
      ["", "requests/s", "p50 ms", "p99 ms", "failed"],
      results.map((one) => [
        one.name,
        Math.round(one.perSecond),
        one.p50Milliseconds.toFixed(1),
        one.p99Milliseconds.toFixed(1),
        one.failed,
      ]),
    ),
  );
}

interface Client {
  id: string;
  secret: string;
}

const FORM = { "content-type": "application/x-www-form-urlencoded" };

function basic({ id, secret }: Client): string {
  // RFC 6749 §2.3.1: both are form-encoded first
  const encoded = [id, secret].map((text) => encodeURIComponent(text).replaceAll("%20", "+")).join(":");
  return `Basic ${Buffer.from(encoded).toString("base64")}`;
}

async function fetchToken(base: string, client: Client): Promise<string> {
  const answered = await fetch(`${base}/oauth/token`, {
    method: "POST",
    headers: { ...FORM, authorization: basic(client) },
    body: "grant_type=client_credentials",
  }).catch((error: Error & { cause?: Error }) => {
    throw new Failure(`${base} cannot be reached: ${error.cause?.message ?? error.message}`);
  });
  const text = await answered.text();
  try {
    const { access_token: token } = JSON.parse(text) as { access_token?: unknown };
    if (typeof token === "string") return token;
  } catch {
    // told below
  }
  throw new Failure(`${base}/oauth/token gave no token (status ${answered.status}): ${text.slice(0, 300)}`);
}

function scenarios(
  base: string,
  client: Client,
  token: string,
  isUserToken: boolean,
): { name: string; load: Load }[] {
  const form = { ...FORM, authorization: basic(client) };
  const all = [
    {
      name: "client credentials",
      load: {
        url: `${base}/oauth/token`,
        method: "POST",
        headers: form,
        body: "grant_type=client_credentials",
      },
    },
    {
      name: "introspection",
      load: {
        url: `${base}/oauth/introspect`,
        method: "POST",
        headers: form,
        body: `token=${encodeURIComponent(token)}`,
      },
    },
    {
      name: "huace token check",
      load: {
        url: `${base}/huace/sdk/token/verify`,
        method: "POST",
        headers: { "content-type": "application/json", "x-app-id": client.id, "x-app-secret": client.secret },
        body: JSON.stringify({ token }),
      },
    },
    {
      name: "user info",
      load: { url: `${base}/oauth/userinfo`, method: "GET", headers: { authorization: `Bearer ${token}` } },
    },
  ];
  return isUserToken ? all : all.filter(({ name }) => name !== "user info");
}
