const MAX_HEADER = 65_536;

/**
 * The value of one cookie of a `Cookie` header, as Django reads it: the last one of a name, unquoted when in double
 * quotes, and not percent-decoded (the service decodes once itself). undefined when there is none.
 */
export function cookieOf(header: string | undefined, name: string): string | undefined {
  if (header === undefined || header.length > MAX_HEADER || !header.includes(name)) return undefined;
  let found: string | undefined;
  for (const part of header.split(";")) {
    const equals = part.indexOf("=");
    if (equals !== -1 && trim(part.slice(0, equals)) === name) found = trim(part.slice(equals + 1));
  }
  return found === undefined ? undefined : asUtf8(unquote(found));
}

/** Spaces and tabs only: `trim` would take a byte 0xA0 of a UTF-8 character for a space. */
const trim = (text: string) => text.replace(/^[ \t]+|[ \t]+$/g, "");

/** RFC 6265 has no escapes, but Python's cookies do: `\"`, `\\` and three octal digits. */
function unquote(value: string): string {
  if (value.length < 2 || !value.startsWith('"') || !value.endsWith('"')) return value;
  return value
    .slice(1, -1)
    .replace(/\\(?:([0-3][0-7][0-7])|(.))/g, (_, octal: string | undefined, sign: string) =>
      octal === undefined ? sign : String.fromCharCode(Number.parseInt(octal, 8)),
    );
}

/** HTTP libraries hand header bytes over as Latin-1; what was sent is UTF-8. */
function asUtf8(value: string): string {
  return /[\u0080-\u00ff]/.test(value) ? Buffer.from(value, "latin1").toString("utf8") : value;
}
