/**
 * The definitions, written down as they are said and not as they are fast. Nothing here is used by the engine or by
 * the product: the tests compare the engine with it.
 */
import type { Attributes, Condition, Grant, Question, Statement, SubjectRef, TenantModel } from "../model.ts";

/** Allowed, if some statement that applies allows it and none denies it. */
export function referenceCheck(model: TenantModel, question: Question): boolean {
  const { subject, action, resource, namespace, attributes = {} } = question;
  if (model.inactive.some((inactive) => same(inactive, subject))) return false;
  const effects = referenceStatements(model, subject, namespace)
    .filter(
      (statement) => someMatches(statement.resources, resource) && someMatches(statement.actions, action),
    )
    .filter((statement) => conditionsApply(statement, attributes))
    .map(({ effect }) => effect);
  return effects.includes("allow") && !effects.includes("deny");
}

/** The statements of a namespace that hold for a subject. */
export function referenceStatements(model: TenantModel, subject: SubjectRef, namespace: string): Statement[] {
  const principals = referencePrincipals(model, subject);
  const granted = grantsTo(model, principals);
  const policies = model.policies.filter(
    (policy) =>
      policy.namespace === namespace &&
      granted.some((grant) => grant.kind === "policy" && grant.enabled && grant.policyId === policy.id),
  );
  const roles = model.roles.filter(
    (role) =>
      role.namespace === namespace &&
      principals.some(({ subject }) => same(subject, { type: "role", id: role.id })),
  );
  return [
    ...roles.flatMap(({ permissions }) => permissions.map(permissionStatement)),
    ...policies.flatMap(({ statements }) => statements),
    ...granted.flatMap((grant) =>
      grant.kind === "resource" && grant.namespace === namespace
        ? [{ resources: [grant.resource], actions: grant.actions, effect: grant.effect, conditions: [] }]
        : [],
    ),
  ];
}

interface ReferencePrincipal {
  subject: SubjectRef;
  /** Only by way of a sub-unit: what is granted without inheritance does not reach down. */
  fromBelow: boolean;
}

/** A subject, its groups, its units and their ancestors, the roles of all these and the parents of those roles. */
function referencePrincipals(model: TenantModel, subject: SubjectRef): ReferencePrincipal[] {
  if (!exists(model, subject)) return [];
  const memberships = model.members
    .filter(({ userIds }) => subject.type === "user" && userIds.includes(subject.id))
    .map(({ of }) => of)
    .filter((of) => exists(model, of));
  const direct: SubjectRef[] = [subject, ...memberships];
  const ancestors = direct.flatMap(({ type, id }) => (type === "unit" ? ancestorsOf(model.units, id) : []));
  const principals: ReferencePrincipal[] = [
    ...direct.map((subject) => ({ subject, fromBelow: false })),
    ...ancestors.map((id) => ({ subject: { type: "unit" as const, id }, fromBelow: true })),
  ];
  const roles = grantsTo(model, principals).flatMap((grant) => (grant.kind === "role" ? [grant.roleId] : []));
  if (subject.type === "role") roles.push(subject.id);
  const inherited = roles
    .filter((id) => exists(model, { type: "role", id }))
    .flatMap((id) => [id, ...ancestorsOf(model.roles, id)]);
  return [
    ...principals,
    ...inherited.map((id) => ({ subject: { type: "role" as const, id }, fromBelow: false })),
  ];
}

function grantsTo(model: TenantModel, principals: readonly ReferencePrincipal[]): Grant[] {
  return model.grants.filter((grant) =>
    principals.some(
      ({ subject, fromBelow }) => same(subject, grant.subject) && (!fromBelow || grant.inherit),
    ),
  );
}

function ancestorsOf(tree: readonly { id: string; parentId: string | null }[], id: string): string[] {
  const found: string[] = [];
  for (let at = tree.find((node) => node.id === id); at; ) {
    const parentId = at.parentId;
    at = tree.find((node) => node.id === parentId);
    if (!at || found.includes(at.id)) return found;
    found.push(at.id);
  }
  return found;
}

function exists(model: TenantModel, { type, id }: SubjectRef): boolean {
  if (type === "role") return model.roles.some((role) => role.id === id);
  if (type === "group") return model.groups.some((group) => group.id === id);
  if (type === "unit") return model.units.some((unit) => unit.id === id);
  return true;
}

const same = (a: SubjectRef, b: SubjectRef): boolean => a.type === b.type && a.id === b.id;

function permissionStatement(code: string): Statement {
  const [, resource = "", action = ""] =
    code === "*" ? ["", "*", "*"] : (/^([^:]*):?(.*)$/s.exec(code) ?? []);
  return { resources: [resource], actions: [action], effect: "allow", conditions: [] };
}

export function someMatches(patterns: readonly string[], text: string): boolean {
  return patterns.some((pattern) => {
    const pieces = pattern.split("*").map((piece) => piece.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
    return new RegExp(`^${pieces.join("[^]*")}$`).test(text);
  });
}

/** A condition that cannot be decided makes a denial apply and an allowance not, unless another one is false. */
export function conditionsApply({ conditions, effect }: Statement, attributes: Attributes): boolean {
  const truths = conditions.map((condition) => referenceTruth(condition, attributes));
  if (truths.includes(false)) return false;
  return truths.includes(null) ? effect === "deny" : true;
}

export function referenceTruth(
  { attribute, operator, value }: Condition,
  attributes: Attributes,
): boolean | null {
  const [, actual] = Object.entries(attributes).find(([name]) => name === attribute) ?? [];
  const missing = actual === undefined || actual === null;
  if (operator === "exists") return typeof value === "boolean" ? value !== missing : null;
  if (missing) return null;
  if (operator === "not_equals") return negated("equals");
  if (operator === "not_in") return negated("in");
  if (operator === "greater") return negated("less_or_equal");
  if (operator === "greater_or_equal") return negated("less");
  const numbers = Number.isFinite(actual) && Number.isFinite(value);
  if (operator === "less") return numbers ? Number(actual) < Number(value) : null;
  if (operator === "less_or_equal") return numbers ? Number(actual) <= Number(value) : null;
  if (operator === "equals") {
    return typeof actual === typeof value && isScalar(actual) ? actual === value : null;
  }
  if (operator === "in") {
    if (!Array.isArray(value) || !isScalar(actual) || !value.every(isScalar)) return null;
    return value.every((item) => typeof item === typeof actual) ? value.includes(actual) : null;
  }
  if (operator === "prefix") {
    return typeof actual === "string" && typeof value === "string" ? actual.indexOf(value) === 0 : null;
  }
  if (operator === "before" || operator === "after") {
    const [a, b] = [instant(actual), instant(value)];
    if (a === null || b === null) return null;
    return operator === "before" ? a < b : a > b;
  }
  if (operator === "cidr") {
    const inside = (Array.isArray(value) ? value : [value]).map((network) => inNetwork(actual, network));
    return bitsOf(actual) === null || inside.includes(null) ? null : inside.includes(true);
  }
  return null;

  function negated(positive: Condition["operator"]): boolean | null {
    const truth = referenceTruth({ attribute, operator: positive, value }, attributes);
    return truth === null ? null : !truth;
  }
}

const isScalar = (value: unknown): boolean =>
  ["string", "boolean"].includes(typeof value) || Number.isFinite(value);

function instant(value: unknown): number | null {
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.test(String(value))
    ? Date.parse(String(value))
    : Number.NaN;
  return typeof value === "string" && !Number.isNaN(time) ? time : null;
}

/** IPv4 only, which is all that the comparison needs: the tests of conditions have IPv6 by example. */
function inNetwork(address: unknown, network: unknown): boolean | null {
  const [base = "", bits = "32"] = String(network).split("/");
  const [a, b] = [bitsOf(address), bitsOf(base)];
  if (a === null || b === null || !/^\d{1,2}$/.test(bits) || Number(bits) > 32) return null;
  return a.slice(0, Number(bits)) === b.slice(0, Number(bits));
}

function bitsOf(address: unknown): string | null {
  const parts = typeof address === "string" ? address.split(".") : [];
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)) {
    return null;
  }
  return parts.map((part) => Number(part).toString(2).padStart(8, "0")).join("");
}
