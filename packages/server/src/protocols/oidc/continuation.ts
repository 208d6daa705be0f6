import { type Exchange, found, type Parameters } from "./exchange.ts";

/**
 * What a flow keeps of an authorization while the person is on the hosted pages. The pages read `resume`, where they
 * send the browser when they are done (with `flow`, and `decision=deny` for a refused consent), and `scopes`, which
 * the consent page shows and remembers with `rememberGrant`.
 */
export interface OidcContinuation {
  protocol: "oidc";
  /** Path on this server. */
  resume: string;
  scopes: string[];
  /** The request as it came; it is checked again at the end, as the application may have changed. */
  parameters: Parameters;
  /** RFC 3339. A consent is fresh if it was given after this. */
  startedAt: string;
}

export function continuationOf(exchange: Exchange): Record<string, unknown> {
  return {
    protocol: "oidc",
    resume: `${exchange.base}/oauth/authorize/resume`,
    scopes: [...found(exchange.scopes)],
    parameters: keptParameters(exchange.parameters),
    startedAt: exchange.deps.clock.now().toISOString(),
  } satisfies OidcContinuation;
}

/** What is read again at the end; anything else that came with the request is not kept. */
const KEPT = [
  "response_type",
  "response_mode",
  "client_id",
  "redirect_uri",
  "scope",
  "state",
  "nonce",
  "code_challenge",
  "code_challenge_method",
  "prompt",
  "max_age",
  "acr_values",
  "claims",
  "id_token_hint",
  "ui_locales",
];

function keptParameters(parameters: Parameters): Parameters {
  return Object.fromEntries(KEPT.map((name) => [name, parameters[name]]));
}

/** Undefined for a flow that another protocol began. */
export function readContinuation(continuation: Record<string, unknown>): OidcContinuation | undefined {
  return continuation.protocol === "oidc" ? (continuation as unknown as OidcContinuation) : undefined;
}
