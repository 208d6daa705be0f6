import type { RequestContext } from "../../kernel/context.ts";
import type { Deps } from "../deps.ts";

export interface Reader {
  deps: Deps;
  /** The caller, in the tenant that is read. */
  context: RequestContext;
  credentials: boolean;
}

export function filled<Name extends string, Item>(name: Name, items: Item[]): { [Key in Name]?: Item[] } {
  return items.length === 0 ? {} : ({ [name]: items } as { [Key in Name]?: Item[] });
}

export function by<T>(keyOf: (item: T) => string): (one: T, other: T) => number {
  return (one, other) => {
    const [a, b] = [keyOf(one), keyOf(other)];
    return a < b ? -1 : a > b ? 1 : 0;
  };
}
