import { isPlainHost } from "../../kernel/plain-host.ts";
import { isReturnOriginOfApplication } from "../applications/index.ts";
import type { Deps } from "../deps.ts";

export interface ReturnRules {
  /** `host` (any port), `host:port`, `.domain` (itself and everything below it, any port) or `*`. */
  hosts: readonly string[];
  requireHttps: boolean;
}

/** Characters of a return address, as asked for. */
const MAX_LENGTH = 2_048;

/** Scheme, two slashes, and a host right after them: the parser forgives `https:evil.example` and `https:///…`. */
const ABSOLUTE = /^https?:\/\/[^/?#\\@\s]+(?:[/?#]|$)/i;

/**
 * Where a sign-in by ticket may lead a browser: a path of this server, or an http(s) address whose host the tenant or
 * one of its applications allows. The answer is what was understood, not what was written, so that a browser cannot
 * understand it in another way.
 *
 * @param text - as asked for, from anybody.
 * @returns null where the address is not allowed.
 */
export async function returnAddressOf(
  deps: Deps,
  tenantId: string,
  rules: ReturnRules,
  text: string,
): Promise<string | null> {
  // Browsers drop tabulators and line breaks, and take a backslash for a slash.
  if (text.length > MAX_LENGTH || /[\p{Cc}\\]|^\s|\s$/u.test(text)) return null;
  if (text.startsWith("/")) return pathOf(text);
  if (!ABSOLUTE.test(text) || !URL.canParse(text)) return null;
  const url = new URL(text);
  if (url.username !== "" || url.password !== "" || !isPlainHost(url.hostname)) return null;
  if (rules.requireHttps && url.protocol !== "https:") return null;
  const allowed =
    rules.hosts.some((host) => isHost(url, host)) ||
    (await isReturnOriginOfApplication(deps, tenantId, url.origin));
  return allowed ? url.href : null;
}

const HERE = "https://here.invalid";

/** A path of this server. `/.//evil.example` is one that becomes another host's address when it is put in order. */
function pathOf(text: string): string | null {
  if (!URL.canParse(text, HERE)) return null;
  const { origin, pathname, search, hash } = new URL(text, HERE);
  return origin === HERE && !pathname.startsWith("//") ? pathname + search + hash : null;
}

function isHost(url: URL, allowed: string): boolean {
  if (allowed === "*") return true;
  const { hostname } = url;
  if (allowed.startsWith(".")) return hostname === allowed.slice(1) || hostname.endsWith(allowed);
  if (allowed === hostname) return true;
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  return allowed === `${hostname}:${port}`;
}

/** The same hosts as sources of a content security policy, for a page that they may frame; `*` frames nothing. */
export function frameSourcesOf(hosts: readonly string[]): string[] {
  return hosts.flatMap((host) => {
    if (host === "*" || host.startsWith("[")) return []; // a policy has no word for IPv6
    if (host.startsWith(".")) return [`${host.slice(1)}:*`, `*${host}:*`];
    return [host.includes(":") ? host : `${host}:*`];
  });
}
