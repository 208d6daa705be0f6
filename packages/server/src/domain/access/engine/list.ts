import { applies, type CompiledStatement } from "./compile.ts";
import type { AccessResource, Attributes, SubjectRef } from "./model.ts";
import { matches } from "./patterns.ts";
import { principalsOf, statementsOf } from "./principals.ts";
import type { TenantState } from "./tenant-state.ts";

export interface ListQuestion {
  subject: SubjectRef;
  namespace: string;
  /** Only resources of this type. */
  type?: AccessResource["type"];
  /** With attributes every condition is decided; without, what depends on one is marked. */
  attributes?: Attributes;
}

export interface ListedResource {
  /** A resource code or a pattern, as it was granted. */
  resource: string;
  /** Of the resource defined under this code, or under the part before the first colon; otherwise DATA. */
  type: AccessResource["type"];
  /** Actions and patterns of actions, sorted. */
  actions: readonly { action: string; conditional: boolean }[];
}

/**
 * A subject may do what `allowed` matches and `denied` does not. What is denied as a whole is not in `allowed`;
 * a denial inside a wider pattern (`books:1` inside `books:*`) stands in `denied`.
 */
export interface ListedAccess {
  allowed: readonly ListedResource[];
  denied: readonly ListedResource[];
}

/** Resource → action → whether it depends on conditions. */
type Table = Map<string, Map<string, boolean>>;

export function list(state: TenantState, question: ListQuestion): ListedAccess {
  const node = state.subject(question.subject);
  if (!node || node.inactive) return { allowed: [], denied: [] };
  const allowed: Table = new Map();
  const denied: Table = new Map();
  for (const { statement } of statementsOf(state, principalsOf(state, node))) {
    if (statement.namespace !== question.namespace) continue;
    if (question.attributes && !applies(statement, question.attributes)) continue;
    const conditional = statement.conditions !== null && question.attributes === undefined;
    addTo(statement.allows ? allowed : denied, statement, conditional);
  }
  removeDenied(allowed, denied);
  return { allowed: toList(state, question, allowed), denied: toList(state, question, denied) };
}

function addTo(table: Table, { statement }: CompiledStatement, conditional: boolean): void {
  for (const resource of statement.resources) {
    const actions = table.get(resource) ?? new Map<string, boolean>();
    table.set(resource, actions);
    for (const action of statement.actions) actions.set(action, conditional && (actions.get(action) ?? true));
  }
}

/** A denial that matches an allowed pattern as a text matches everything that this pattern does. */
function removeDenied(allowed: Table, denied: Table): void {
  for (const [deniedResource, deniedActions] of denied) {
    for (const [resource, actions] of allowed) {
      if (!matches(deniedResource, resource)) continue;
      for (const action of actions.keys()) {
        for (const [deniedAction, conditional] of deniedActions) {
          if (!conditional && matches(deniedAction, action)) actions.delete(action);
        }
      }
      if (actions.size === 0) allowed.delete(resource);
    }
  }
}

function toList(
  state: TenantState,
  { namespace, type: wanted }: ListQuestion,
  table: Table,
): ListedResource[] {
  const listed: ListedResource[] = [];
  for (const [resource, actions] of table) {
    const type = typeOf(state, namespace, resource);
    if (wanted !== undefined && type !== wanted) continue;
    const sorted = [...actions].sort(([a], [b]) => (a < b ? -1 : 1));
    listed.push({
      resource,
      type,
      actions: sorted.map(([action, conditional]) => ({ action, conditional })),
    });
  }
  return listed.sort((a, b) => (a.resource < b.resource ? -1 : 1));
}

function typeOf(state: TenantState, namespace: string, code: string): AccessResource["type"] {
  const [family = ""] = code.split(":", 1);
  const defined = state.resource(namespace, code) ?? state.resource(namespace, family);
  return defined?.type ?? "DATA";
}
