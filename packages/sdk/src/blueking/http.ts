import { answerTo, type BkAnswer, type GuardOptions } from "./answers.ts";
import { BkAuth, type BkOutcome } from "./bk-auth.ts";
import { cookieOf } from "./cookies.ts";
import type { BkAuthOptions } from "./options.ts";
import type { BkSession } from "./session.ts";

/** An application's login, made beforehand with `createBkAuth` or given as its options. */
export type BkAuthSource<Row extends object = object> = BkAuth<Row> | BkAuthOptions<Row>;

/** What every adapter can be told. `Request` is the framework's own. */
export interface AdapterOptions<Request> extends GuardOptions {
  /**
   * The session to keep the login in. Default: the framework's own `session` when a request has one, otherwise the
   * ticket is remembered in this process. false: always in this process.
   */
  session?: false | ((request: Request) => BkSession | undefined);
  /** The user's language for the service's messages. Default: `en-us`. */
  language?: (request: Request) => string | undefined;
  /** The origin users see, such as `https://app.example.com`. Default: as the framework says, which may be a proxy's. */
  origin?: string;
}

/** What an adapter reads of its framework's request. */
export interface IncomingRequest {
  header(name: string): string | undefined;
  /** Path and query, or an absolute address. */
  url: string;
  /** Such as `http://app.example.com`. */
  origin: string;
  session: BkSession | undefined;
  language: string | undefined;
}

export function authOf<Row extends object>(source: BkAuthSource<Row>): BkAuth<Row> {
  return source instanceof BkAuth ? source : new BkAuth(source);
}

/** Decides who a request is from and what to answer instead of going on, if anything. */
export async function handle<Row extends object>(
  auth: BkAuth<Row>,
  request: IncomingRequest,
  options: GuardOptions & { origin?: string },
): Promise<{ outcome: BkOutcome<Row>; answer: BkAnswer | undefined }> {
  const { backendType } = auth.settings;
  const outcome = await auth.authenticate({
    cookies: { [backendType]: cookieOf(request.header("cookie"), backendType) },
    session: request.session,
    jwt: request.header("x-bkapi-jwt"),
    language: request.language,
  });
  return { outcome, answer: answerFor(outcome, request, options) };
}

const outcomes = new WeakMap<object, BkOutcome>();

export function keepOutcome(request: object, outcome: BkOutcome): void {
  outcomes.set(request, outcome);
}

/**
 * Who a request is from.
 *
 * @throws TypeError when the middleware, hook or guard has not run for it.
 */
export function outcomeOf(request: object): BkOutcome {
  const outcome = outcomes.get(request);
  if (outcome === undefined) throw new TypeError("bkAuth has not run for this request");
  return outcome;
}

/** A header's value, or the first of several. */
export function only(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

function answerFor(
  outcome: BkOutcome,
  request: Pick<IncomingRequest, "header" | "url" | "origin">,
  options: GuardOptions & { origin?: string },
): BkAnswer | undefined {
  if (outcome.outcome === "ok") return undefined;
  const context = { currentUrl: absolute(request, options.origin), isScript: isScript(request) };
  return answerTo(outcome, context, options);
}

/** jQuery and blueapps name themselves; a browser's fetch says that it is not navigating. */
function isScript({ header }: Pick<IncomingRequest, "header">): boolean {
  if (header("x-requested-with")?.toLowerCase() === "xmlhttprequest") return true;
  const mode = header("sec-fetch-mode");
  if (mode !== undefined) return mode !== "navigate";
  const accept = header("accept") ?? "";
  return accept.includes("application/json") && !accept.includes("text/html");
}

function absolute({ url, origin }: { url: string; origin: string }, configured: string | undefined): string {
  const path = URL.canParse(url) ? new URL(url).pathname + new URL(url).search : url;
  return (configured ?? origin) + path;
}
