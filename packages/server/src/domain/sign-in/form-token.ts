import { IdentityError } from "@ostiary/contracts";
import { equalBytes } from "../../kernel/constant-time.ts";
import type { Deps } from "../deps.ts";

/**
 * The hidden CSRF value of a form: a keyed hash of what the form is for and of a secret that only this browser's
 * cookie carries. Nothing is stored.
 *
 * @param subject - the flow's id, or the session's for account pages.
 * @param browser - the value of the flow or session cookie.
 */
export function formToken(deps: Deps, subject: string, browser: string): string {
  return deps.secrets.keyedHash(`${subject} ${browser}`, "form-token").toString("base64url");
}

/** @throws IdentityError `flow.forged` */
export function checkFormToken(
  deps: Deps,
  subject: string,
  browser: string | undefined,
  token: string | undefined,
): void {
  const expected = browser === undefined ? undefined : formToken(deps, subject, browser);
  if (
    expected === undefined ||
    token === undefined ||
    !equalBytes(Buffer.from(expected), Buffer.from(token))
  ) {
    throw new IdentityError("flow.forged");
  }
}
