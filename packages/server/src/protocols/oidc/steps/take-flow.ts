import { takeFinishedFlow } from "../../../domain/sign-in/index.ts";
import { OAuthError } from "../errors.ts";
import { type Exchange, found } from "../exchange.ts";

/** Uses the flow up: of two tabs one gets the code. */
export async function takeFlow(exchange: Exchange): Promise<void> {
  const { deps, context, wire } = exchange;
  const flow = found(exchange.flow);
  await takeFinishedFlow(deps, context, flow.id, wire.flowCookie);
  if (flow.denied) throw new OAuthError("access_denied", "The user did not allow it");
}
