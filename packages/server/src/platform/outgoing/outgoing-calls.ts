import { lookup as resolve } from "node:dns";
import { request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP } from "node:net";
import { IdentityError } from "@ostiary/contracts";
import type { OutgoingAnswer, OutgoingCalls, OutgoingRequest } from "../../kernel/ports.ts";
import { createTargetRules, type TargetRules } from "./private-addresses.ts";

/**
 * Calls to addresses that users chose. The address that is connected to is the one that was checked: names are
 * resolved once, by the connection itself, so a name that changes its address in between gains nothing. Every call has
 * a connection of its own.
 *
 * @param allowed - private hosts and ranges that may be reached (`dangerAllowPrivateTargets`).
 */
export function createOutgoingCalls(allowed: readonly string[]): OutgoingCalls {
  const rules = createTargetRules(allowed);
  return { send: (request) => send(rules, request) };
}

function notAllowed(host: string): IdentityError {
  return new IdentityError("target.not_allowed", { reason: `${host} is a private address` });
}

async function send(rules: TargetRules, request: OutgoingRequest): Promise<OutgoingAnswer> {
  const url = new URL(request.url);
  if (url.protocol !== "https:" && url.protocol !== "http:")
    throw new IdentityError("target.not_allowed", { reason: url.protocol });
  const host = url.hostname.replace(/^\[|\]$/g, "");
  // A literal address is connected without being looked up.
  if (isIP(host) !== 0 && !rules.allowsHost(host) && !rules.allowsAddress(host)) throw notAllowed(host);
  const body = request.body === undefined ? undefined : Buffer.from(request.body);
  const options: RequestOptions = {
    method: request.method,
    agent: false,
    headers: {
      ...request.headers,
      ...(body ? { "content-length": String(body.length) } : {}),
      connection: "close",
    },
    signal: AbortSignal.timeout(request.timeoutMilliseconds),
    lookup: checkedLookup(rules),
  };
  return new Promise((fulfil, reject) => {
    const failed = (error: Error & { code?: string }) =>
      reject(error.name === "AbortError" ? new Error("no answer in time") : error);
    const call = (url.protocol === "https:" ? httpsRequest : httpRequest)(url, options, (answer) => {
      readStart(answer, request.answerBytes).then(
        (text) => fulfil({ status: answer.statusCode ?? 0, body: text }),
        failed,
      );
    });
    call.on("error", failed);
    call.end(body);
  });
}

/** As `dns.lookup`, but without addresses that may not be called. */
function checkedLookup(rules: TargetRules): NonNullable<RequestOptions["lookup"]> {
  return (host, options, done) => {
    resolve(host, { ...options, all: true }, (error, addresses) => {
      if (error) return done(error, "", 0);
      const usable = rules.allowsHost(host)
        ? addresses
        : addresses.filter(({ address }) => rules.allowsAddress(address));
      const [first] = usable;
      if (!first) return done(notAllowed(host) as NodeJS.ErrnoException, "", 0);
      if (options.all) done(null, usable);
      else done(null, first.address, first.family);
    });
  };
}

async function readStart(answer: IncomingMessage, limit: number): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of answer as AsyncIterable<Buffer>) {
    parts.push(part);
    length += part.length;
    if (length >= limit) {
      answer.destroy();
      break;
    }
  }
  // Null characters and halves of characters cannot be stored.
  return Buffer.concat(parts).subarray(0, limit).toString("utf8").replaceAll("\0", "\uFFFD");
}
