import type { Application } from "./application.store.ts";

/**
 * Whether pages of this origin are the application's own: it is that of a redirect URI, or one to which log-ins may
 * return.
 */
export function isOriginOf(
  { redirectUris, allowedReturnOrigins }: Pick<Application, "redirectUris" | "allowedReturnOrigins">,
  origin: string,
): boolean {
  return (
    allowedReturnOrigins.includes(origin) ||
    redirectUris.some((uri) => /^https?:/.test(uri) && new URL(uri).origin === origin)
  );
}
