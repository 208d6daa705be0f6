import { findApplication } from "../../../domain/applications/index.ts";
import { isId } from "../../../kernel/identifiers.ts";
import { type Exchange, unanswerable } from "../exchange.ts";

/** The application that `client_id` names. A wrong one must not be sent anywhere (RFC 6749 §4.1.2.1). */
export async function loadClient(exchange: Exchange): Promise<void> {
  const { client_id: id } = exchange.parameters;
  if (id === undefined) throw unanswerable("client_id is missing");
  const application = isId(id) ? await findApplication(exchange.deps, exchange.tenant.id, id) : null;
  if (!application) throw unanswerable("unknown client_id");
  if (application.status !== "active") throw unanswerable("the application is disabled");
  exchange.application = application;
}
