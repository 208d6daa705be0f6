import { ACR_VALUES, type Acr } from "../../../domain/sessions/index.ts";
import type { Exchange } from "../exchange.ts";

/**
 * `acr_values`: how sure the client wants to be, any of which will do. Those that we do not know are left out, as the
 * parameter is a wish (OpenID Connect Core §3.1.2.1); one that we know is asked for.
 */
export function checkAcrValues(exchange: Exchange): void {
  const { acr_values: text } = exchange.parameters;
  const least = leastOf(text?.split(" ") ?? []);
  if (least) exchange.acr = least;
}

/** Of values that are all good enough, the one that is easiest to reach. */
export function leastOf(values: readonly string[]): Acr | undefined {
  return ACR_VALUES.find((acr) => values.includes(acr));
}
