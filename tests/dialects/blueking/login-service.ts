import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** What the fake login service does with the next verifications. */
export interface Behaviour {
  status?: number;
  body?: unknown;
  headers?: Record<string, string>;
  /** Cuts the connection instead of answering. */
  drop?: boolean;
}

/** One verification, as far as it must be the same whoever sends it. */
export interface Asked {
  query: string;
  language: string | undefined;
  authorization: string | undefined;
  tenant: string | undefined;
  cookie: string | undefined;
}

/** A programmable login service. Everybody asks under an own path, `/<who>/…`, so that two clients do not meet. */
export class LoginService implements AsyncDisposable {
  readonly url: string;
  readonly #behaviours = new Map<string, Behaviour>();
  readonly #asked = new Map<string, Asked[]>();
  readonly #stop: () => Promise<void>;

  private constructor(url: string, stop: () => Promise<void>) {
    this.url = url;
    this.#stop = stop;
  }

  static async start(): Promise<LoginService> {
    let service: LoginService | undefined;
    const server = createServer((request, response) => {
      const url = new URL(request.url ?? "/", "http://login.test");
      const who = url.pathname.split("/")[1] ?? "";
      const { headers } = request;
      service?.asked(who).push({
        query: url.search,
        language: single(headers["blueking-language"]),
        authorization: single(headers["x-bkapi-authorization"]),
        tenant: single(headers["x-bk-tenant-id"]),
        cookie: headers.cookie,
      });
      const { status = 200, body = "", headers: more, drop } = service?.behaviour(who, url.pathname) ?? {};
      if (drop) {
        request.socket.destroy();
        return;
      }
      response.writeHead(status, { "content-type": "application/json", ...more });
      response.end(typeof body === "string" ? body : JSON.stringify(body));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const stop = () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      });
    service = new LoginService(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop);
    return service;
  }

  program(who: string, behaviour: Behaviour): void {
    this.#behaviours.set(who, behaviour);
  }

  /** A redirect's target always answers that somebody is signed in: only who follows it learns that. */
  behaviour(who: string, path: string): Behaviour {
    if (path.endsWith("/elsewhere"))
      return { body: { result: true, code: 0, message: "", data: { bk_username: "redirected" } } };
    return this.#behaviours.get(who) ?? {};
  }

  asked(who: string): Asked[] {
    const list = this.#asked.get(who) ?? [];
    this.#asked.set(who, list);
    return list;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stop();
  }
}

const single = (value: string | string[] | undefined) => (Array.isArray(value) ? value[0] : value);
