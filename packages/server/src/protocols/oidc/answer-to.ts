import type { Answer, Exchange, ReplyTo } from "./exchange.ts";

/**
 * The answer of the authorization endpoint, success or error: with `state` as it came and with `iss`, so that a client
 * of several servers knows which one answers (RFC 9207).
 */
export function answerTo(
  { parameters, issuer }: Pick<Exchange, "parameters" | "issuer">,
  replyTo: ReplyTo,
  values: Record<string, string>,
): Answer {
  const { state } = parameters;
  const answer = { ...values, ...(state === undefined ? {} : { state }), iss: issuer };
  const { redirectUri, mode } = replyTo;
  if (mode === "form_post") return { kind: "form-post", redirectUri, parameters: answer };
  const encoded = new URLSearchParams(answer).toString();
  const separator = mode === "fragment" ? "#" : redirectUri.includes("?") ? "&" : "?";
  return { kind: "redirect", location: redirectUri + separator + encoded };
}
