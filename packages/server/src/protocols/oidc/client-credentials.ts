import { OAuthError } from "./errors.ts";
import type { Exchange } from "./exchange.ts";

/** How a client says who it is (RFC 6749 §2.3, RFC 7523 §2.2). */
export type ClientCredentials =
  | { method: "client_secret_basic" | "client_secret_post"; clientId: string; secret: string }
  | { method: "private_key_jwt"; clientId: string; assertion: string }
  | { method: "none"; clientId: string };

const ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/** Exactly one way to authenticate (RFC 6749 §2.3: "MUST NOT use more than one"). */
export function readClientCredentials({ wire, parameters }: Exchange): ClientCredentials {
  const { client_id: clientId, client_secret: secret, client_assertion: assertion } = parameters;
  const basic = wire.authorization === undefined ? undefined : readBasic(wire.authorization);
  const ways = [basic, secret, assertion].filter((way) => way !== undefined).length;
  if (ways > 1) throw new OAuthError("invalid_request", "Use one way of client authentication");
  if (basic) {
    if (clientId !== undefined && clientId !== basic.clientId) {
      throw new OAuthError("invalid_request", "client_id does not fit the Authorization header");
    }
    return basic;
  }
  if (assertion !== undefined) return readAssertion(parameters.client_assertion_type, assertion, clientId);
  if (clientId === undefined) throw new OAuthError("invalid_client", "Client authentication is missing");
  return secret === undefined
    ? { method: "none", clientId }
    : { method: "client_secret_post", clientId, secret };
}

/** RFC 7617, and RFC 6749 §2.3.1: both halves are form-encoded before. */
function readBasic(header: string): ClientCredentials {
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(header)?.[1];
  const pair = encoded === undefined ? "" : Buffer.from(encoded, "base64").toString("utf8");
  const colon = pair.indexOf(":");
  if (colon < 1) throw new OAuthError("invalid_client", "The Authorization header is not valid");
  const clientId = formDecode(pair.slice(0, colon));
  return { method: "client_secret_basic", clientId, secret: formDecode(pair.slice(colon + 1)) };
}

function formDecode(text: string): string {
  if (!text.includes("%") && !text.includes("+")) return text;
  try {
    return decodeURIComponent(text.replaceAll("+", "%20"));
  } catch {
    throw new OAuthError("invalid_client", "The Authorization header is not form-encoded (RFC 6749, 2.3.1)");
  }
}

/** The client's id is the assertion's `sub`; who lies about it fails the signature. */
function readAssertion(
  type: string | undefined,
  assertion: string,
  given: string | undefined,
): ClientCredentials {
  if (type !== ASSERTION_TYPE) {
    throw new OAuthError("invalid_request", "client_assertion_type is not supported");
  }
  const subject = subjectOf(assertion);
  if (subject === undefined || (given !== undefined && given !== subject)) {
    throw new OAuthError("invalid_client", "The assertion does not name this client");
  }
  return { method: "private_key_jwt", clientId: subject, assertion };
}

function subjectOf(assertion: string): string | undefined {
  try {
    const payload: unknown = JSON.parse(
      Buffer.from(assertion.split(".")[1] ?? "", "base64url").toString("utf8"),
    );
    if (typeof payload !== "object" || payload === null || !("sub" in payload)) return undefined;
    return typeof payload.sub === "string" ? payload.sub : undefined;
  } catch {
    return undefined;
  }
}
