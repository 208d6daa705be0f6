import { errorOf, ZibanuError } from "./errors.ts";

export interface TransportOptions {
  /** Where the services are mounted, such as `https://id.example.com/zibanu/`. */
  baseUrl: string;
  /** First word of the `Authorization` header. Default `JWT`. */
  scheme?: string;
  /**
   * `Origin` header for programs outside a browser: the server keeps one session for each. A browser sends its own and
   * takes no other.
   */
  origin?: string;
  /** `Accept-Language`, for the server's texts. A browser sends its own unless this is given. */
  language?: string;
  /** For a whole exchange. Milliseconds; default 30,000. */
  timeoutMs?: number;
  fetch?: typeof globalThis.fetch;
}

/** Calls one service after the other; knows nothing of signing in. */
export class Transport {
  readonly #base: URL;
  readonly #options: TransportOptions;

  /** @throws TypeError when `baseUrl` is no absolute address. */
  constructor(options: TransportOptions) {
    this.#base = new URL(options.baseUrl.replace(/\/*$/, "/"));
    this.#options = options;
  }

  /**
   * Posts JSON and returns what the answer holds; undefined for an empty one.
   *
   * @param path - below the base, with its closing slash: without it the server redirects, and the body is lost.
   * @throws ZibanuError
   */
  async post(path: string, body: unknown, token?: string): Promise<unknown> {
    const { scheme = "JWT", origin, language, timeoutMs = 30_000, fetch = globalThis.fetch } = this.#options;
    const headers: Record<string, string> = {
      "content-type": "application/json",
      accept: "application/json",
    };
    if (token !== undefined) headers["authorization"] = `${scheme} ${token}`;
    if (origin !== undefined) headers["origin"] = origin;
    if (language !== undefined) headers["accept-language"] = language;
    let status = 0;
    let text: string;
    try {
      const response = await fetch(new URL(path, this.#base), {
        method: "POST",
        headers,
        body: JSON.stringify(body ?? {}),
        credentials: "omit", // the token is the only proof; a cookie would make it forgeable from other sites
        redirect: "error",
        cache: "no-store",
        signal: AbortSignal.timeout(timeoutMs),
      });
      status = response.status;
      text = await response.text();
    } catch (cause) {
      throw new ZibanuError("unavailable", { status, messages: ["The server cannot be reached"], cause });
    }
    const value = parse(text);
    if (status >= 400) throw errorOf(status, value === NO_JSON ? undefined : value);
    if (value === NO_JSON)
      throw new ZibanuError("protocol", { status, messages: ["The server's answer is no JSON"] });
    return value;
  }
}

const NO_JSON = Symbol("no JSON");

function parse(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return NO_JSON;
  }
}
