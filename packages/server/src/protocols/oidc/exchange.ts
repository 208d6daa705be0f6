import { IdentityError, type Tenant } from "@ostiary/contracts";
import type { Principal } from "../../domain/access/index.ts";
import type { Application } from "../../domain/applications/index.ts";
import type { Deps } from "../../domain/deps.ts";
import type { Acr, Session } from "../../domain/sessions/index.ts";
import type { IdTokenHint, Issue, RequestedClaims, VerifiedToken } from "../../domain/tokens/index.ts";
import type { RequestContext } from "../../kernel/context.ts";
import type { Wire } from "./wire.ts";

/** Parameters of a request without prototype; empty ones are left out (RFC 6749 §3.1). */
export type Parameters = Readonly<Record<string, string | undefined>>;

export type ResponseMode = "query" | "fragment" | "form_post";

/** What goes back to the caller. */
export type Answer =
  | { kind: "json"; body: object; headers?: Record<string, string> }
  | { kind: "empty" }
  | { kind: "redirect"; location: string }
  | { kind: "form-post"; redirectUri: string; parameters: Record<string, string> };

/** Where an authorization's answer goes, from the moment that client and redirect URI are known to be good. */
export interface ReplyTo {
  redirectUri: string;
  mode: ResponseMode;
}

/**
 * One request on its way through the steps. Each step reads what earlier ones have found and adds what it finds;
 * the table (table.ts) says in which order. `found` turns a wrong order into an error instead of a hole.
 */
export interface Exchange {
  readonly deps: Deps;
  readonly tenant: Tenant;
  readonly wire: Wire;
  /** Before the addresses of this issuer: `""` or `/t/<slug>`. */
  readonly base: string;
  readonly issuer: string;
  context: RequestContext;
  parameters: Parameters;

  application?: Application;
  replyTo?: ReplyTo;
  scopes?: readonly string[];
  codeChallenge?: string | null;
  prompts?: ReadonlySet<string>;
  /** Seconds. */
  maxAge?: number;
  /** The least that the sign-in must have proven. */
  acr?: Acr;
  claims?: RequestedClaims;
  /** `sub` that the `claims` parameter demands. */
  demandedUserId?: string;
  hint?: IdTokenHint;
  /** The browser's session; null when nobody is signed in. */
  session?: Session | null;
  /** The flow that comes back from the hosted pages. */
  flow?: { id: string; startedAt: Date; denied: boolean };
  principal?: Principal;
  issue?: Issue;
  verified?: VerifiedToken;

  /** The last step that has one ends the walk. */
  answer?: Answer;
}

export type Step = (exchange: Exchange) => void | Promise<void>;

/** What an earlier step must have found. */
export function found<T>(value: T | undefined): T {
  if (value === undefined) throw new RangeError("a step of the table runs too early");
  return value;
}

/** A request so wrong that nothing may be sent to the address it names (RFC 6749 §4.1.2.1): our own error page. */
export function unanswerable(reason: string): IdentityError {
  return new IdentityError("authorization.invalid", { reason });
}

/**
 * The path of a hosted page that goes on with a flow. Not the whole address: a browser that reached us under another
 * name than the public one has its cookies there.
 */
export function pageAddress(exchange: Exchange, page: "sign-in" | "consent", flowId: string): string {
  const { ui_locales: locales } = exchange.parameters;
  const language = locales === undefined ? "" : `&ui_locales=${encodeURIComponent(locales)}`;
  return `${exchange.base}/${page}?flow=${flowId}${language}`;
}
