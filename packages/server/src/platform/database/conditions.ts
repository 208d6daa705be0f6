import type { SqlValue } from "./types.ts";

/**
 * The conditions of a list that were asked for, and no others, so that their index is used.
 *
 * @param values - of the parameters that the statement has besides; grows by those of the conditions.
 * @param wanted - the beginning of a condition (`role_id =`) and its value; undefined: not asked for.
 * @returns text for after `where`.
 */
export function conditionsOf(
  values: SqlValue[],
  wanted: readonly (readonly [condition: string, value: string | undefined])[],
): string {
  return wanted
    .flatMap(([condition, value]) => (value === undefined ? [] : [`${condition} $${values.push(value)}`]))
    .join(" and ");
}
