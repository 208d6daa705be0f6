import { IdentityError } from "@ostiary/contracts";
import { type Deps, within } from "../domain/deps.ts";
import type { RequestContext } from "../kernel/context.ts";

export type Operation =
  | { op: "create"; value: never }
  | { op: "update"; id: string; value: never }
  | { op: "delete"; id: string };

/** What a bulk request needs of a kind of object. Inputs were validated with the schemas of its routes. */
interface Writable {
  create(deps: Deps, context: RequestContext, input: never): Promise<unknown>;
  change(deps: Deps, context: RequestContext, id: string, input: never): Promise<unknown>;
  remove(deps: Deps, context: RequestContext, id: string): Promise<void>;
}

/** Does the operations in order and in one transaction. */
export function runBulk(
  deps: Deps,
  context: RequestContext,
  resource: Writable,
  operations: readonly Operation[],
): Promise<unknown[]> {
  return deps.database.transaction(async (tx) => {
    const joined = within(deps, tx);
    const results: unknown[] = [];
    for (const [index, operation] of operations.entries()) {
      try {
        results.push(await runOperation(joined, context, resource, operation));
      } catch (error) {
        throw error instanceof IdentityError ? atOperation(error, index) : error;
      }
    }
    return results;
  });
}

async function runOperation(
  deps: Deps,
  context: RequestContext,
  resource: Writable,
  operation: Operation,
): Promise<unknown> {
  switch (operation.op) {
    case "create":
      return resource.create(deps, context, operation.value);
    case "update":
      return resource.change(deps, context, operation.id, operation.value);
    case "delete":
      await resource.remove(deps, context, operation.id);
      return null;
  }
}

/** The same error, which now says in which operation it happened. */
function atOperation(error: IdentityError, index: number): IdentityError {
  const fields = error.fields?.map(({ path, message }) => ({
    path: `/operations/${index}/value${path}`,
    message,
  })) ?? [{ path: `/operations/${index}`, message: error.message }];
  return new IdentityError(error.code, {
    fields,
    cause: error,
    ...(error.reason === undefined ? {} : { reason: error.reason }),
    ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }),
  });
}
