import type { FastifyInstance, LightMyRequestResponse } from "fastify";

/** What a page answered, as far as tests look at it. */
export interface Visit {
  status: number;
  headers: LightMyRequestResponse["headers"];
  body: string;
  /** Where a redirect leads. */
  location: string;
}

type Fields = Record<string, string | undefined>;

/** A browser without a screen: keeps cookies, follows nothing by itself, and sends forms with their hidden fields. */
export class Visitor {
  readonly cookies = new Map<string, string>();
  readonly #app: FastifyInstance;
  readonly #headers: Record<string, string>;

  constructor(app: FastifyInstance, headers: Record<string, string> = {}) {
    this.#app = app;
    this.#headers = { accept: "text/html", ...headers };
  }

  get(url: string): Promise<Visit> {
    return this.#send("GET", url);
  }

  /** Goes on as long as the answers lead to other addresses of this server. */
  async follow(visit: Visit | Promise<Visit>): Promise<Visit> {
    let at = await visit;
    for (let hops = 0; at.status === 303 && isLocal(at.location) && hops < 10; hops++) {
      at = await this.get(at.location);
    }
    return at;
  }

  open(url: string): Promise<Visit> {
    return this.follow(this.get(url));
  }

  /** Sends the first form of a page. A field that is `undefined` is left out, a hidden one too. */
  submit(page: Visit, fields: Fields, headers: Record<string, string> = {}): Promise<Visit> {
    const action = /<form method="post" action="([^"]*)"/.exec(page.body)?.[1];
    if (action === undefined) throw new Error(`this page has no form: ${page.body || page.location}`);
    return this.post(unescaped(action), { ...hiddenFields(page), ...fields }, headers);
  }

  post(url: string, fields: Fields, headers: Record<string, string> = {}): Promise<Visit> {
    const given = Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined);
    return this.#send("POST", url, new URLSearchParams(given).toString(), headers);
  }

  async #send(
    method: "GET" | "POST",
    url: string,
    payload?: string,
    headers: Record<string, string> = {},
  ): Promise<Visit> {
    const path = url.replace(/^https?:\/\/[^/]+/, "");
    const answer = await this.#app.inject({
      method,
      url: path,
      headers: {
        ...this.#headers,
        ...(payload === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" }),
        ...headers,
        cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; "),
      },
      ...(payload === undefined ? {} : { payload }),
    });
    for (const { name, value, maxAge } of answer.cookies) {
      if (maxAge === 0) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    const { statusCode: status, body } = answer;
    return { status, headers: answer.headers, body, location: String(answer.headers.location ?? "") };
  }
}

function isLocal(location: string): boolean {
  return location.startsWith("/") || location.startsWith("http://ostiary.test/");
}

/** The hidden fields of the first form. */
export function hiddenFields(page: Visit): Record<string, string> {
  const form = /<form method="post"[\s\S]*?<\/form>/.exec(page.body)?.[0] ?? "";
  const inputs = form.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g);
  return Object.fromEntries([...inputs].map(([, name = "", value = ""]) => [name, unescaped(value)]));
}

function unescaped(text: string): string {
  return text
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}

/** The words of the summary of errors; empty when there is none. */
export function alertOf(page: Visit): string {
  const summary = /<div class="summary" role="alert"[^>]*>([\s\S]*?)<\/div>/.exec(page.body)?.[1] ?? "";
  return summary.replace(/<[^>]*>/g, "").trim();
}
