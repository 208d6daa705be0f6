import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TenantSettingsPatch } from "@ostiary/contracts";
import type { TestServerOptions } from "../../../packages/server/src/testing/a-server.ts";
import { SETUPS } from "./setups.ts";
import type { Answer, Made, World } from "./world.ts";

/** One request to zibanu-django-auth 1.1.8 (or 3.0.1) and its answer, measured. `{{token:N}}` stands for a token. */
export interface Recording {
  config: string;
  name: string;
  method: string;
  path: string;
  headers: Record<string, string>;
  body: unknown;
  status: number;
  kind: string;
  answer: unknown;
}

/** What the recorder saw beside the answers: decoded tokens, mails, the log and the cache. */
export interface Observation {
  config: string;
  name: string;
  observed: unknown;
}

/** Whose tokens the recorder made by hand. */
const PLAIN = 5;

const [first = "{}", ...rest] = readFileSync(join(import.meta.dirname, "recordings.jsonl"), "utf8")
  .trim()
  .split("\n");
const tokens = new Map(
  (JSON.parse(first) as { tokens: { n: number; user: number | string | null; made?: Made }[] }).tokens.map(
    ({ n, user, made }) => [n, { user: Number(user) || PLAIN, made }],
  ),
);

/** In the order of the recorder; with what no other recording says, as `observed`. */
export const EVERYTHING = rest.map((line) => JSON.parse(line) as Recording | Observation);

export const isRecording = (one: Recording | Observation): one is Recording => "status" in one;

/** How Ostiary is set to be most like the server that was recorded. */
export const SETTINGS: Record<string, TenantSettingsPatch["zibanu"]> = {
  default: {},
  allow_multiple: { allowMultipleLogin: true },
  exc_handler: { errorFormat: "zibanu" },
  no_auto: { automaticUsername: false, automaticPassword: false },
  avatar_url: { avatarFormat: "url" },
  lang_es: { language: "es" },
  lang_locale_mw: { language: "automatic" },
  tz_bogota: { timeZone: "America/Bogota" },
  include_permissions: { includePermissions: true, includeRoles: false },
  "auth-3.0.1": { compat: "3.0" },
  debug: {},
  hs256_bearer: { acceptBearer: true },
  avatar_size: { avatarPixels: 32 },
};

/** How the server is started: where its mails go. */
export const SERVERS: Record<string, TestServerOptions["config"]> = {
  mail_refused: { mail: "smtp://127.0.0.1:1?from=no-reply@example.com" },
  mail_dns: { mail: "smtp://no-such-host.invalid:25?from=no-reply@example.com" },
};

/** What the recorder did on one server, in its order: it began anew with each suite of its names. */
export function inGroups(): Map<string, (Recording | Observation)[]> {
  let before = "login";
  return Map.groupBy(EVERYTHING, (one) => {
    const group = isRecording(one) || one.config !== "default" ? groupOf(one) : before;
    if (one.config === "default") before = group;
    return group;
  });
}

function groupOf({ config, name }: Pick<Recording, "config" | "name">): string {
  if (config !== "default") return config;
  const [prefix = ""] = name.split("/");
  if (/^(minted|alg none)/.test(name)) return "minted";
  if (/^group\/list (no groups|all filtered)/.test(name)) return "no groups";
  if (/^(login|refresh|change|request|retrieve|add|update|delete)$/.test(prefix)) return prefix;
  if (/^(profile|avatar|utils)$/.test(prefix)) return "profile";
  if (/^(group|grouplevel|permission)$/.test(prefix) || name.startsWith("user/list")) return "lists";
  if (prefix === "logout") return prefix;
  if (/^(deleted|inactive|refresh of)/.test(name)) return "gone";
  if (/^(anonymous|garbage|expired|three-part|one-part|Bearer|GET|lower-case|empty)/.test(name))
    return "doors";
  return "rest";
}

/** Replays one after the other, with the tokens that we gave where theirs gave some. */
export class Replay {
  readonly #world: World;
  readonly #tokens = new Map<number, string>();
  /** The token that was given last. */
  last = "";

  constructor(world: World) {
    this.#world = world;
  }

  async play(recording: Recording): Promise<Answer> {
    const { method, path, headers, body, name, config } = recording;
    await SETUPS[`${config}: ${name}`]?.(this.#world, this);
    const names = `${JSON.stringify(headers)}${JSON.stringify(body)}`;
    for (const [, n] of names.matchAll(/\{\{token:(\d+)\}\}/g)) await this.know(Number(n), recording);
    const isJson = (headers["Content-Type"] ?? "").startsWith("application/json");
    const isText = typeof body === "string" && !(isJson && name.includes("string body"));
    const answer = await this.#world.call(path, {
      method,
      headers: lowerCased(this.#filled(headers) as Record<string, string>),
      ...(body === null ? {} : { body: isText ? this.#filled(body) : JSON.stringify(this.#filled(body)) }),
    });
    const given = /^\{\{token:(\d+)\}\}$/.exec((recording.answer as { token?: string } | null)?.token ?? "");
    const token = (answer.body as { token?: string } | undefined)?.token;
    if (given && token) this.#tokens.set(Number(given[1]), token);
    if (token) this.last = token;
    return answer;
  }

  /** Makes the token with this number, if nobody has got it yet. */
  async know(n: number, { path, headers }: Pick<Recording, "path" | "headers">): Promise<void> {
    if (this.#tokens.has(n)) return;
    const { user = PLAIN, made } = tokens.get(n) ?? {};
    const origin = headers["Origin"] ?? "undefined";
    const slot = `zibanu:${createHash("md5").update(origin).digest("hex")}`;
    const options = { ...(path === "/refresh/" ? { slot } : {}), ...(made ? { made } : {}) };
    this.#tokens.set(n, await this.#world.mint(user, options));
  }

  /** So that its next use makes a new one. */
  forget(n: number): void {
    this.#tokens.delete(n);
  }

  /** Whose it is. */
  serialOf(n: number): number {
    return tokens.get(n)?.user ?? PLAIN;
  }

  #filled<T>(value: T): T {
    const text = JSON.stringify(value).replaceAll(/\{\{token:(\d+)\}\}/g, (_, n: string) =>
      String(this.#tokens.get(Number(n))),
    );
    return JSON.parse(text) as T;
  }
}

function lowerCased(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/** What of an answer must be the same: times, tokens, made-up names and hashes are not. */
export function comparable(body: unknown): unknown {
  if (typeof body === "string") {
    if (/^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(body)) return "<time>";
    if (/^(\{\{token:\d+\}\}|eyJ[\w.-]+)$/.test(body)) return "<token>";
    if (/^[0-9a-f]{32}$/.test(body)) return "<made up>";
    if (/^pbkdf2_/.test(body)) return null;
    if (/^https?:/.test(body)) return "<address>";
    return body.replace(/^JSON parse error.*/, "JSON parse error");
  }
  if (Array.isArray(body)) return body.map(comparable);
  if (typeof body !== "object" || body === null) return body ?? null;
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => [name, VOLATILE[name]?.(value) ?? comparable(value)]),
  );
}

/** Depends on what the recorder did before that no recording shows: whether somebody had signed in, who was added. */
const VOLATILE: Readonly<Record<string, (value: unknown) => unknown>> = {
  last_login: (value) => (value === null || comparable(value) === "<time>" ? "<time or null>" : undefined),
  id: (value) => (typeof value === "number" && value > 12 ? "<new>" : undefined),
};
