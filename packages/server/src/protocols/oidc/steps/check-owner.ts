import { checkOwner as findOwner } from "../../../domain/tokens/index.ts";
import { type Exchange, found } from "../exchange.ts";

/** Whose tokens these are must still be allowed to have them. */
export async function checkOwner(exchange: Exchange): Promise<void> {
  const { deps, tenant } = exchange;
  const { family } = found(exchange.issue);
  exchange.principal = await findOwner(deps, tenant, found(exchange.application), family);
}
