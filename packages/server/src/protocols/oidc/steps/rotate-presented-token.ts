import { rotateRefreshToken } from "../../../domain/tokens/index.ts";
import { OAuthError } from "../errors.ts";
import { type Exchange, found } from "../exchange.ts";

/** Takes the refresh token and gives the next one; a narrower scope holds for this access token only. */
export async function rotatePresentedToken(exchange: Exchange): Promise<void> {
  const { deps, context, tenant, parameters } = exchange;
  const { refresh_token: token, scope } = parameters;
  if (token === undefined) throw new OAuthError("invalid_request", "refresh_token is missing");
  const scopes = scope === undefined ? [] : [...new Set(scope.split(" ").filter((one) => one !== ""))];
  const application = found(exchange.application);
  exchange.issue = await rotateRefreshToken(deps, context, tenant, application, token, scopes);
  if (scopes.length > 0) exchange.scopes = scopes;
}
