import { type Application, findApplication, provesToBe } from "../../../domain/applications/index.ts";
import { isId } from "../../../kernel/identifiers.ts";
import { checkAssertion } from "../check-assertion.ts";
import { type ClientCredentials, readClientCredentials } from "../client-credentials.ts";
import { OAuthError } from "../errors.ts";
import type { Exchange } from "../exchange.ts";

/**
 * The application that calls, proven by the one method it is registered for: a client with a key cannot be
 * impersonated with a leaked secret. Synchronous for secrets, when the application is in the cache.
 */
export function authenticateClient(exchange: Exchange): void | Promise<void> {
  const credentials = readClientCredentials(exchange);
  const { clientId } = credentials;
  const application = isId(clientId) ? findApplication(exchange.deps, exchange.tenant.id, clientId) : null;
  return application instanceof Promise
    ? application.then((loaded) => authenticate(exchange, credentials, loaded))
    : authenticate(exchange, credentials, application);
}

function rejected(reason: string): OAuthError {
  return new OAuthError("invalid_client", "Client authentication failed", { reason });
}

function authenticate(
  exchange: Exchange,
  credentials: ClientCredentials,
  application: Application | null,
): void | Promise<void> {
  if (application && application.tokenEndpointAuthMethod !== credentials.method) {
    throw rejected(`registered for ${application.tokenEndpointAuthMethod}, used ${credentials.method}`);
  }
  if ("secret" in credentials) {
    const { clientId, secret } = credentials;
    if (!provesToBe(exchange.deps, exchange.context, clientId, application, secret)) {
      throw rejected(application ? "wrong secret" : "unknown client");
    }
  }
  if (!application) throw rejected("unknown client");
  if (credentials.method === "private_key_jwt") {
    return checkAssertion(exchange, application, credentials.assertion).then(() =>
      accept(exchange, application),
    );
  }
  accept(exchange, application);
}

/** Said only to who has proven to be the client. */
function accept(exchange: Exchange, application: Application): void {
  if (application.status !== "active") throw rejected("disabled");
  exchange.application = application;
  exchange.context = { ...exchange.context, actor: { type: "application", id: application.id } };
}
