import type { FastifyReply, FastifyRequest } from "fastify";
import type { Deps } from "../../domain/deps.ts";
import { cookieScope, ensureBrowser, readOwnCookie, writeCookie } from "../../platform/http/cookies.ts";

/** The parts of the HTTP request that steps may look at, and the cookies they may set. */
export class Wire {
  readonly #deps: Deps;
  readonly #request: FastifyRequest;
  readonly #reply: FastifyReply;

  constructor(deps: Deps, request: FastifyRequest, reply: FastifyReply) {
    this.#deps = deps;
    this.#request = request;
    this.#reply = reply;
  }

  get method(): string {
    return this.#request.method;
  }

  get authorization(): string | undefined {
    return this.#request.headers.authorization;
  }

  get sessionCookie(): string | undefined {
    return readOwnCookie(this.#deps, this.#request, "session");
  }

  get flowCookie(): string | undefined {
    return readOwnCookie(this.#deps, this.#request, "flow");
  }

  get deviceCookie(): string | undefined {
    return readOwnCookie(this.#deps, this.#request, "device");
  }

  /** The secret that ties flows to this browser; makes one where the browser has none. */
  ensureBrowser(): string {
    return ensureBrowser(this.#request, this.#reply, cookieScope(this.#deps, this.#request));
  }

  clearSessionCookie(): void {
    writeCookie(this.#reply, cookieScope(this.#deps, this.#request), "session", "", 0);
  }
}
