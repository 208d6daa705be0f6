import type { FastifyReply, FastifyRequest } from "fastify";
import type { Deps } from "../../domain/deps.ts";
import {
  type CookieScope,
  cookieName,
  ensureBrowser,
  readCookie,
  writeCookie,
} from "../../platform/http/cookies.ts";

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
    return readCookie(this.#request, cookieName(this.#scope, "session"));
  }

  get flowCookie(): string | undefined {
    return readCookie(this.#request, cookieName(this.#scope, "flow"));
  }

  get deviceCookie(): string | undefined {
    return readCookie(this.#request, cookieName(this.#scope, "device"));
  }

  /** The secret that ties flows to this browser; makes one where the browser has none. */
  ensureBrowser(): string {
    return ensureBrowser(this.#request, this.#reply, this.#scope);
  }

  clearSessionCookie(): void {
    writeCookie(this.#reply, this.#scope, "session", "", 0);
  }

  get #scope(): CookieScope {
    return { secure: this.#deps.publicUrl.startsWith("https:"), tenantSlug: this.#request.tenant.slug };
  }
}
