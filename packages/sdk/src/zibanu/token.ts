/** The user of a token. `level` is missing in a token of the original server right after a sign-in. */
export interface TokenUser {
  username: string;
  is_staff: boolean;
  is_superuser: boolean;
  level?: number;
  full_name: string;
  /** The sign-in before this one. */
  last_login: string | null;
}

/** What a token says. The client cannot check its signature: this is for showing, never for deciding. */
export interface ZibanuSession {
  token: string;
  /** null in a token that names nobody. */
  userId: number | null;
  user: TokenUser | null;
  /** Milliseconds since 1970-01-01T00:00:00Z, by the server's clock. */
  issuedAt: number;
  expiresAt: number;
  /** Until when it can be exchanged for a new one. */
  refreshableUntil: number;
}

/** Reads a token; undefined for a text that is none. */
export function readToken(token: string): ZibanuSession | undefined {
  const claims = claimsOf(token);
  if (claims === undefined || typeof claims["exp"] !== "number") return undefined;
  const expiresAt = claims["exp"] * 1000;
  const time = (name: string, otherwise: number) =>
    typeof claims[name] === "number" ? claims[name] * 1000 : otherwise;
  const userId = Number(claims["user_id"] ?? Number.NaN);
  const { user } = claims;
  return {
    token,
    userId: Number.isInteger(userId) ? userId : null,
    user: typeof user === "object" && user !== null ? (user as TokenUser) : null,
    issuedAt: time("iat", expiresAt),
    expiresAt,
    refreshableUntil: time("refresh_exp", expiresAt),
  };
}

function claimsOf(token: string): Record<string, unknown> | undefined {
  const payload = token.split(".")[1];
  if (payload === undefined) return undefined;
  try {
    const binary = atob(payload.replaceAll("-", "+").replaceAll("_", "/"));
    const text = new TextDecoder().decode(Uint8Array.from(binary, (sign) => sign.charCodeAt(0)));
    const claims: unknown = JSON.parse(text);
    return typeof claims === "object" && claims !== null ? (claims as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
