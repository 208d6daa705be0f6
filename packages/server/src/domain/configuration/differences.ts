import { isObject } from "../../kernel/is-object.ts";

/** Fields that are merged key by key; all others are taken as a whole. A dot leads into a group. */
type Groups = readonly string[];

/**
 * Which fields `wanted` sets otherwise than `present` has them. An absent field sets nothing; null and absent are the
 * same in `present`.
 *
 * @returns their names, `group.field` within a group.
 */
export function differences(present: object, wanted: object, groups: Groups = [], prefix = ""): string[] {
  const before = present as Record<string, unknown>;
  return Object.entries(wanted).flatMap(([name, value]) => {
    const path = prefix + name;
    if (value === undefined) return [];
    const old = before[name] ?? null;
    if (groups.includes(path) && isObject(value)) {
      return differences(isObject(old) ? old : {}, value, groups, `${path}.`);
    }
    return canonical(old) === canonical(value) ? [] : [path];
  });
}

/** The top-level fields of `wanted` that `names` are in. */
export function fieldsNamed<T extends object>(wanted: T, names: readonly string[]): T {
  const tops = new Set(names.map((name) => name.split(".", 1)[0]));
  return Object.fromEntries(Object.entries(wanted).filter(([name]) => tops.has(name))) as T;
}

/** Equal sets of texts, in whatever order. */
export function sameMembers(one: readonly string[], other: readonly string[]): boolean {
  const members = new Set(one);
  return members.size === new Set(other).size && other.every((item) => members.has(item));
}

/** Equal texts for equal JSON values, however their keys are ordered. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    isObject(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : item,
  );
}
