import { isPlainHost } from "../../kernel/plain-host.ts";

const LOOPBACK = new Set(["127.0.0.1", "[::1]", "localhost"]);
/** Schemes that a browser runs or that lead into the machine it runs on. */
const DANGEROUS = /^(?:javascript|data|vbscript|blob|file|filesystem|about|view-source|ws|wss|ftp|mailto):/i;

/**
 * Whether a browser may be sent to this address with a code: absolute, without fragment (RFC 6749 §3.1.2), user or
 * wildcard; https, http of the loopback interface (RFC 8252 §7.3), or an application's own scheme, which must have a
 * dot as it comes from a domain name (RFC 8252 §7.1).
 */
export function isRedirectUri(text: string): boolean {
  // The parser forgives what an exact comparison does not: backslashes, blanks, missing slashes.
  if (!/^[\x21-\x7e]+$/.test(text) || /[*\\#<>"{}|^`]/.test(text) || DANGEROUS.test(text)) return false;
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  if (url.username !== "" || url.password !== "" || /^[a-z][a-z0-9+.-]*:\/\/[^/?]*@/i.test(text))
    return false;
  if (url.protocol === "https:" || url.protocol === "http:") {
    if (!/^https?:\/\/[^/?]/i.test(text)) return false;
    return url.protocol === "https:" || LOOPBACK.has(url.hostname);
  }
  return url.protocol.includes(".");
}

/** Whether this is an origin (RFC 6454 §6.2) to which a ticket may be taken: https, or http of the loopback. */
export function isReturnOrigin(text: string): boolean {
  if (!isRedirectUri(text) || !/^https?:/.test(text)) return false;
  const { origin, hostname } = new URL(text);
  return origin === text && isPlainHost(hostname);
}
