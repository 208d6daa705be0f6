import type { Page, Problem } from "@ostiary/contracts";
import { ConfigurationError, openLocal, readConfig, type ServerConfig } from "@ostiary/server";
import { Failure, UsageFailure } from "./failure.ts";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** How a command reaches an installation. */
export interface ConnectionOptions {
  /** A running server; with `key`. Without it: the installation of this machine. */
  url?: string;
  key?: string;
  tenant?: string;
  json?: boolean;
}

interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

type Transport = (
  method: Method,
  path: string,
  options: { headers: Record<string, string>; body?: string | Buffer<ArrayBuffer> },
) => Promise<Answer>;

/** API v1, over HTTP or in this process. */
export class Client {
  readonly #transport: Transport;
  readonly #tenant: string | undefined;

  constructor(transport: Transport, tenant: string | undefined) {
    this.#transport = transport;
    this.#tenant = tenant;
  }

  /** @throws Failure with the server's sentence and the fields that it names. */
  async text(method: Method, path: string, body?: unknown, accept = "application/json"): Promise<Answer> {
    const content = { body: JSON.stringify(body), type: "application/json" };
    return this.#send(method, path, accept, body === undefined ? undefined : content);
  }

  /** Sends a file as it is. @param type - of the content. @throws as `text` */
  async put<T>(path: string, body: Buffer<ArrayBuffer>, type: string): Promise<T> {
    return JSON.parse((await this.#send("PUT", path, "application/json", { body, type })).body) as T;
  }

  async #send(
    method: Method,
    path: string,
    accept: string,
    content?: { body: string | Buffer<ArrayBuffer>; type: string },
  ): Promise<Answer> {
    const headers = {
      accept,
      ...(this.#tenant === undefined ? {} : { "ostiary-tenant": this.#tenant }),
      ...(content ? { "content-type": content.type } : {}),
    };
    const answer = await this.#transport(method, `/api/v1${path}`, {
      headers,
      ...(content ? { body: content.body } : {}),
    });
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw new Failure(wordsOf(answer));
  }

  /** The answer's JSON; undefined for 204. */
  async call<T>(method: Method, path: string, body?: unknown): Promise<T> {
    const answer = await this.text(method, path, body);
    return (answer.body === "" ? undefined : JSON.parse(answer.body)) as T;
  }

  /** The first `limit` items of a list, over as many pages as it takes. */
  async list<T>(path: string, query: Record<string, string | undefined>, limit: number): Promise<T[]> {
    const items: T[] = [];
    let after: string | undefined;
    while (items.length < limit) {
      const size = String(Math.min(200, limit - items.length));
      const page = await this.call<Page<T>>("GET", `${path}${queryOf({ ...query, limit: size, after })}`);
      items.push(...page.items);
      if (page.next === null) break;
      after = page.next;
    }
    return items;
  }
}

/** `?a=1&b=2` of what is given. */
export function queryOf(values: Record<string, string | undefined>): string {
  const given = Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return given.length === 0 ? "" : `?${new URLSearchParams(given)}`;
}

function wordsOf({ status, body }: Answer): string {
  let problem: Partial<Problem>;
  try {
    problem = JSON.parse(body) as Partial<Problem>;
  } catch {
    return `The server answered ${status}, and not as Ostiary does. Is the URL right?`;
  }
  const fields = (problem.errors ?? []).map(
    ({ path, message }) => `\n  ${path}${path ? ": " : ""}${message}`,
  );
  return `${problem.title ?? `The server answered ${status}.`} (${problem.code ?? status})${fields.join("")}`;
}

/** Opens the connection, does the work and closes it. */
export async function withClient<T>(
  options: ConnectionOptions,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const url = options.url ?? process.env["OSTIARY_URL"];
  if (url !== undefined)
    return work(new Client(remote(url, options.key ?? process.env["OSTIARY_KEY"]), options.tenant));
  if (options.key !== undefined) throw new UsageFailure("--key needs --url, or OSTIARY_URL.");
  const local = await openLocal(localConfig());
  try {
    return await work(
      new Client((method, path, request) => local.request(method, path, request), options.tenant),
    );
  } finally {
    await local.close();
  }
}

/**
 * The settings of this machine.
 *
 * @throws UsageFailure naming the variable that is wrong.
 */
export function readSettings(overrides: Parameters<typeof readConfig>[1] = {}): ServerConfig {
  try {
    return readConfig(process.env, overrides);
  } catch (error) {
    if (error instanceof ConfigurationError) throw new UsageFailure(error.message);
    throw error;
  }
}

/** For commands that open the installation themselves. Its log would only repeat what the command says. */
export function localConfig(): ServerConfig {
  return readSettings({ logLevel: "error", workers: 1 });
}

function remote(given: string, key: string | undefined): Transport {
  if (!key) throw new UsageFailure("--url needs an API key: --key ak_… or OSTIARY_KEY.");
  if (!/^https?:\/\//.test(given) || !URL.canParse(given)) {
    throw new UsageFailure("--url must be an address such as https://id.example.com.");
  }
  const base = given.replace(/\/+$/, "");
  return async (method, path, { headers, body }) => {
    const answer = await fetch(base + path, {
      method,
      headers: { ...headers, authorization: `Bearer ${key}` },
      redirect: "error", // the key must not go elsewhere
      ...(body === undefined ? {} : { body }),
    }).catch((error: Error & { cause?: Error }) => {
      throw new Failure(`${base} cannot be reached: ${error.cause?.message ?? error.message}`);
    });
    return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() };
  };
}
