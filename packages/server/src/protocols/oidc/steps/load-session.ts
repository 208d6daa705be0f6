import { findSessionByCookie } from "../../../domain/sessions/index.ts";
import type { Exchange } from "../exchange.ts";

/** The session of this browser, if somebody is signed in. */
export async function loadSession(exchange: Exchange): Promise<void> {
  const { deps, tenant, wire } = exchange;
  exchange.session = await findSessionByCookie(deps, tenant.id, wire.sessionCookie);
}
