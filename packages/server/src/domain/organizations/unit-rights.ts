import type { RequestContext } from "../../kernel/context.ts";
import type { Transaction } from "../../platform/database/types.ts";
import { checkAdministratorRemainsWithout, checkGives, loadRightsOf } from "../access/index.ts";
import type { Deps } from "../deps.ts";
import { selectSubtree } from "./unit.store.ts";

/**
 * Who takes a unit away takes from its members, and from those of all units below it, what was given to them there: he
 * must have it himself.
 *
 * @returns to be called when they are gone: refuses when no administrator remains.
 * @throws IdentityError `permission.escalation`
 */
export async function checkMayEmpty(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  unitId: string | null,
): Promise<() => Promise<void>> {
  const { tenantId } = context;
  const units = unitId === null ? [] : await selectSubtree(tx, tenantId, unitId);
  const rights: Awaited<ReturnType<typeof loadRightsOf>> = [];
  for (const { id } of units) rights.push(...(await loadRightsOf(tx, tenantId, { type: "unit", id })));
  await checkGives(deps, context, rights);
  return () => checkAdministratorRemainsWithout(tx, tenantId, rights);
}
