import http from "node:http";
import https from "node:https";
import { BkAuthError } from "./errors.ts";

export interface BkRequestOut {
  url: URL;
  headers: Readonly<Record<string, string>>;
  /** JSON to be sent by POST; without it the request is a GET. */
  body?: string;
  /** For the whole exchange, from the first connection to the last byte. Milliseconds. */
  timeoutMs: number;
}

export interface BkResponseIn {
  status: number;
  body: string;
}

/**
 * Sends one request and returns the answer whatever its status. Must not follow a redirect (the headers hold the
 * application's secret) and must not keep a cookie. Rejects when there is no whole answer in time.
 */
export type BkTransport = (request: BkRequestOut) => Promise<BkResponseIn>;

/** PEM text or its bytes, as node:tls takes them. TLS of the login service is always verified unless `verify` is false. */
export interface BkTlsOptions {
  /** Default true. false is for a test bed: anybody on the way can then read tickets and the application's secret. */
  verify?: boolean;
  /** Certificate authorities instead of the built-in ones. */
  ca?: string | Buffer;
  /** Client certificate and its key. */
  cert?: string | Buffer;
  key?: string | Buffer;
}

const MAX_BODY_BYTES = 1 << 20;
const MAX_SOCKETS = 20;

/** Whole seconds are not enough to tell from a hanging connection: a new one that is not there in this time is given up. */
const CONNECT_TIMEOUT_MS = 5_000;

/** The transport of node:http(s): kept-alive connections, at most 20 for each host, and no cookie jar or redirects. */
export function nodeTransport(tls: BkTlsOptions = {}): BkTransport {
  const { verify = true, ...material } = tls;
  const common = { keepAlive: true, maxSockets: MAX_SOCKETS, maxFreeSockets: MAX_SOCKETS };
  const agents = {
    "http:": new http.Agent(common),
    "https:": new https.Agent({ ...common, ...material, rejectUnauthorized: verify }),
  };
  return (request) =>
    new Promise((resolve, reject) => {
      const secure = request.url.protocol === "https:";
      const outgoing = (secure ? https : http).request(request.url, {
        method: request.body === undefined ? "GET" : "POST",
        agent: agents[secure ? "https:" : "http:"],
        headers: {
          accept: "application/json",
          "user-agent": "ostiary-sdk",
          ...(request.body === undefined ? {} : { "content-type": "application/json" }),
          ...request.headers,
        },
      });
      const giveUp = (what: string) => outgoing.destroy(new BkAuthError("service.unavailable", what));
      const whole = setTimeout(() => giveUp("no answer in time"), request.timeoutMs);
      const connecting = setTimeout(() => giveUp("no connection in time"), CONNECT_TIMEOUT_MS);
      outgoing.on("socket", (socket) => {
        if (!socket.connecting) clearTimeout(connecting);
        else socket.once(secure ? "secureConnect" : "connect", () => clearTimeout(connecting));
      });
      outgoing.on("close", () => {
        clearTimeout(whole);
        clearTimeout(connecting);
      });
      outgoing.on("error", reject);
      outgoing.on("response", (answer) => {
        const chunks: Buffer[] = [];
        let size = 0;
        answer.on("data", (chunk: Buffer) => {
          size += chunk.length;
          if (size > MAX_BODY_BYTES) giveUp("an answer larger than 1 MiB");
          else chunks.push(chunk);
        });
        answer.on("error", reject);
        answer.on("aborted", () => reject(new BkAuthError("service.unavailable", "an answer broke off")));
        answer.on("end", () =>
          resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
        );
      });
      outgoing.end(request.body);
    });
}

/** The address with one more query parameter; what is configured there already stays. */
export function withParameter(address: string, name: string, value: string): URL {
  const url = new URL(address);
  const pair = `${quote(name)}=${quote(value).replaceAll("%20", "+")}`; // a space as the original writes it
  url.search = url.search === "" ? pair : `${url.search.slice(1)}&${pair}`;
  return url;
}

/** Percent-encodes as Python's `quote(text, safe="")`: everything but letters, digits and `_.-~`. */
export function quote(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/**
 * JSON as Python's `json.dumps` writes a flat mapping: a space after each sign, nothing but ASCII. A gateway may sign or
 * log the header as text, so it is the same to the byte.
 */
export function pythonJson(value: Readonly<Record<string, string | null>>): string {
  const ascii = (text: string | null) =>
    JSON.stringify(text).replace(
      /[^ -~]/g,
      (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
  const pairs = Object.entries(value).map(([key, item]) => `${ascii(key)}: ${ascii(item)}`);
  return `{${pairs.join(", ")}}`;
}
