import { OAuthError } from "../errors.ts";
import type { Exchange } from "../exchange.ts";

const PROMPTS: readonly string[] = ["none", "login", "consent", "select_account"];

/** What the person must, or must not, be shown. `none` stands alone (OpenID Connect Core §3.1.2.1). */
export function checkPrompt(exchange: Exchange): void {
  const prompts = new Set(exchange.parameters.prompt?.split(" "));
  for (const prompt of prompts) {
    if (!PROMPTS.includes(prompt)) throw new OAuthError("invalid_request", "This prompt is not supported");
  }
  if (prompts.has("none") && prompts.size > 1) {
    throw new OAuthError("invalid_request", "prompt=none cannot be combined");
  }
  exchange.prompts = prompts;
}
