import { findApplication } from "../../../domain/applications/index.ts";
import { verifyIdTokenHint } from "../../../domain/tokens/index.ts";
import { isId } from "../../../kernel/identifiers.ts";
import { type Exchange, unanswerable } from "../exchange.ts";

/**
 * Who asks for the sign-out: the ID token's audience, or `client_id`. If both are there they must agree
 * (RP-Initiated Logout §2). A hint that we cannot read is passed over: the person is asked instead.
 */
export async function loadLogoutHint(exchange: Exchange): Promise<void> {
  const { deps, tenant, parameters } = exchange;
  const { id_token_hint: token, client_id: clientId } = parameters;
  const hint =
    token === undefined ? undefined : await verifyIdTokenHint(deps, tenant, token).catch(() => undefined);
  if (hint && clientId !== undefined && clientId !== hint.applicationId) {
    throw unanswerable("client_id does not fit id_token_hint");
  }
  if (hint) exchange.hint = hint;
  const id = hint?.applicationId ?? clientId;
  const application = id !== undefined && isId(id) ? await findApplication(deps, tenant.id, id) : null;
  if (application) exchange.application = application;
}
