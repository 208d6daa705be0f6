import { type CompiledCondition, compileCondition } from "./conditions.ts";
import {
  type AccessRole,
  type Attributes,
  type ResourceGrant,
  type Statement,
  splitPermission,
} from "./model.ts";
import { matchesAny } from "./patterns.ts";

/** A statement ready to be asked. */
export interface CompiledStatement {
  namespace: string;
  statement: Statement;
  allows: boolean;
  /** null: applies always. */
  conditions: readonly CompiledCondition[] | null;
}

export function compileStatement(namespace: string, statement: Statement): CompiledStatement {
  const conditions = statement.conditions.length === 0 ? null : statement.conditions.map(compileCondition);
  return { namespace, statement, allows: statement.effect === "allow", conditions };
}

export function compileRole({ namespace, permissions }: AccessRole): CompiledStatement[] {
  return permissions.map((code) => {
    const { resource, action } = splitPermission(code);
    return compileStatement(namespace, {
      resources: [resource],
      actions: [action],
      effect: "allow",
      conditions: [],
    });
  });
}

export function compileResourceGrant({
  namespace,
  resource,
  actions,
  effect,
}: ResourceGrant): CompiledStatement {
  return compileStatement(namespace, { resources: [resource], actions, effect, conditions: [] });
}

/** Whether it speaks of this action on this resource, conditions aside. */
export function concerns({ statement }: CompiledStatement, action: string, resource: string): boolean {
  return matchesAny(statement.resources, resource) && matchesAny(statement.actions, action);
}

/**
 * Whether its conditions hold. One that is false settles it; otherwise one that cannot be said makes a denial apply
 * and an allowance not: a missing attribute never opens a door.
 */
export function applies({ conditions, allows }: CompiledStatement, attributes: Attributes): boolean {
  let unknown = false;
  for (const condition of conditions ?? []) {
    const truth = condition(attributes);
    if (truth === false) return false;
    if (truth === null) unknown = true;
  }
  return !unknown || !allows;
}
