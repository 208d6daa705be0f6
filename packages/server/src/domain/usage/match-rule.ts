import { type CallPath, splitPath } from "./route-of.ts";

/** What a rule says, as far as charging needs it. */
export interface ActiveRule {
  id: string;
  applicationId: string | null;
  method: string | null;
  path: string;
  kind: "static" | "dynamic";
  price: string;
}

/** One place in the paths of all rules of one owner and origin. */
class Node {
  readonly words = new Map<string, Node>();
  /** `*` or `{name}`: any one segment. */
  any: Node | undefined;
  /** Rules that end here, by method; '' for all methods. */
  readonly rules = new Map<string, ActiveRule>();
  /** Rules that go on with `**`. */
  readonly rest = new Map<string, ActiveRule>();
}

const WILDCARD = /^(?:\*|\{[^/{}]+\})$/;
const NONE = "";

/** Whether a path is a pattern of ours: wildcards are whole segments, and `**` is the last. */
export function isPattern(path: string): boolean {
  const segments = splitPath(path).path.split("/").slice(1);
  return segments.every(
    (segment, index) =>
      WILDCARD.test(segment) || (segment === "**" && index === segments.length - 1) || !/[*{}]/.test(segment),
  );
}

/**
 * The rules of a tenant, ready to be asked. Of several that match, the application's own go before those for all; then
 * those that name the origin; then, from left to right, a word before a wildcard before `**`; then those that name the method.
 */
export class RuleBook {
  readonly #roots = new Map<string, Node>();
  readonly #applications: ReadonlySet<string | null>;

  constructor(rules: readonly ActiveRule[]) {
    this.#applications = new Set(rules.map(({ applicationId }) => applicationId));
    for (const rule of rules) this.#add(rule);
  }

  /** Whether the application has rules of its own. */
  concerns(applicationId: string): boolean {
    return this.#applications.has(applicationId);
  }

  #add(rule: ActiveRule): void {
    const { origin, path } = splitPath(rule.path);
    const key = keyOf(rule.applicationId ?? NONE, origin);
    let node = this.#roots.get(key) ?? new Node();
    this.#roots.set(key, node);
    const segments = path.split("/").slice(1);
    const isRest = segments.at(-1) === "**";
    if (isRest) segments.pop();
    for (const segment of segments) node = childOf(node, segment);
    const method = rule.method ?? NONE;
    (isRest ? node.rest : node.rules).set(method, rule);
  }

  find(applicationId: string, method: string, { origin, path }: CallPath): ActiveRule | undefined {
    if (this.#roots.size === 0) return undefined;
    const segments = path.split("/");
    for (const owner of [applicationId, NONE]) {
      for (const from of origin === NONE ? [NONE] : [origin, NONE]) {
        const root = this.#roots.get(keyOf(owner, from));
        const rule = root && search(root, segments, 1, method);
        if (rule) return rule;
      }
    }
    return undefined;
  }
}

function keyOf(owner: string, origin: string): string {
  return `${owner} ${origin}`;
}

function childOf(node: Node, segment: string): Node {
  if (WILDCARD.test(segment)) {
    node.any ??= new Node();
    return node.any;
  }
  const child = node.words.get(segment) ?? new Node();
  node.words.set(segment, child);
  return child;
}

function search(node: Node, segments: readonly string[], at: number, method: string): ActiveRule | undefined {
  const segment = segments[at];
  if (segment === undefined) return pick(node.rules, method) ?? pick(node.rest, method);
  const word = node.words.get(segment);
  const found =
    (word && search(word, segments, at + 1, method)) ??
    // A wildcard stands for something: `/a/*` is not `/a/`.
    (node.any && segment !== "" ? search(node.any, segments, at + 1, method) : undefined);
  return found ?? pick(node.rest, method);
}

function pick(rules: ReadonlyMap<string, ActiveRule>, method: string): ActiveRule | undefined {
  return rules.get(method) ?? rules.get(NONE);
}
