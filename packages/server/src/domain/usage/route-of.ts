/** Characters of a route; it is part of a key of the sums. */
const MAXIMUM_ROUTE = 512;
const ORIGIN = /^([A-Za-z][A-Za-z0-9+.-]{0,15}:\/\/[^/?#\s]{1,255})(.*)$/s;

/** A path, and the origin in front of it when it is an address of an outgoing call. */
export interface CallPath {
  /** `https://api.example.com:8443` in small letters, or nothing. */
  origin: string;
  /** Begins with a slash; no query. */
  path: string;
}

export function splitPath(reported: string): CallPath {
  const plain = (reported.split(/[?#]/, 1)[0] ?? "").replace(/\p{Cc}/gu, "");
  const [, origin = "", rest = plain] = plain.startsWith("/") ? [] : (ORIGIN.exec(plain) ?? []);
  return { origin: origin.toLowerCase(), path: rest.startsWith("/") ? rest : `/${rest}` };
}

/** Numbers, UUIDs, long hexadecimal and other words that are somebody's and no word of a program. */
const IDENTIFIER = /^(?:\d+|[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{12,}|(?=[^/]*\d)[\w.~%=+-]{20,}|.{65,})$/i;

/** The path with `{id}` where an id was: what calls of one kind have in common, so that sums stay few. */
export function routeOf({ origin, path }: CallPath): string {
  const segments = path.split("/").map((segment) => (IDENTIFIER.test(segment) ? "{id}" : segment));
  return (origin + segments.join("/")).slice(0, MAXIMUM_ROUTE);
}
