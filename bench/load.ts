import { Child } from "./child.ts";

/** The same for every server of a run, whatever its port: the issuer of all tokens. */
export const PUBLIC_URL = "http://ostiary.bench";

/** Somebody with a password, an authenticator app and a passkey. */
export interface StrongUser {
  tenantSlug: string;
  applicationId: string;
  identifier: string;
  /** Of the app, base32. */
  secret: string;
  credentialId: string;
  userHandle: string;
}

/** Whole sign-ins, of several requests each. */
export interface SignInJob {
  method: "totp" | "passkey";
  people: StrongUser[];
  password: string;
  /** The private key of all passkeys, PEM. */
  passkey: string;
}

export interface LoadJob {
  name: string;
  port: number;
  connections: number;
  /** Requests a second. Default: as many as are answered. */
  rate?: number;
  /** Never sleeps, so that no answer has to wake it. Costs a core, which operations with a database need themselves. */
  awake?: boolean;
  /** Whole requests, one character a byte; walked through again and again. */
  requests: string[];
  /** Instead of `requests`: each needs what the answer before it said. */
  chain?: {
    /** `{value}` in a template is replaced; values are all of one length, as Content-Length stays. */
    lanes: { template: string; first: string }[];
    /** Regular expression whose first group is the next value. */
    pattern: string;
  };
  /** Instead of `requests`; `expect` is about the last answer of each. */
  signIn?: SignInJob;
  /** Everything else is an error. */
  expect: { status: number | readonly number[]; text: string };
}

export type LoadMessage = { define: LoadJob } | { run: string; seconds: number };

export interface LoadResult {
  operations: number;
  errors: number;
  firstError: string | null;
  seconds: number;
  /** Latency in milliseconds, at which half and 99 of 100 requests were answered. */
  p50: number;
  p99: number;
}

/** The load generator, in a process of its own. */
export class Load {
  readonly #child: Child;

  private constructor(child: Child) {
    this.#child = child;
  }

  static async start(): Promise<Load> {
    const child = new Child("programs/load.ts");
    await child.answer();
    return new Load(child);
  }

  async define(job: LoadJob): Promise<void> {
    await this.#child.ask({ define: job } satisfies LoadMessage);
  }

  run(name: string, seconds: number): Promise<LoadResult> {
    return this.#child.ask<LoadResult>({ run: name, seconds } satisfies LoadMessage);
  }

  stop(): Promise<void> {
    return this.#child.stop();
  }
}

/** A whole HTTP/1.1 request. */
export function httpRequest(
  method: "GET" | "POST",
  path: string,
  headers: Record<string, string>,
  body = "",
): string {
  const lines = [`${method} ${path} HTTP/1.1`, "Host: 127.0.0.1"];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  if (method === "POST") lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}
