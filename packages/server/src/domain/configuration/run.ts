import {
  type ConfigurationChange,
  type ConfigurationKind,
  type ConfigurationResult,
  IdentityError,
  type Page,
} from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import type { Deps } from "../deps.ts";

/** One application of a file within one tenant. All of its statements are in one transaction. */
export interface TenantRun {
  deps: Deps;
  /** The caller, in this tenant. */
  context: RequestContext;
  /** Slug of the tenant. */
  tenant: string;
  report: Report;
}

/** What has been done so far. */
export class Report {
  readonly changes: ConfigurationChange[] = [];
  readonly generated: ConfigurationResult["generated"] = [];
  unchanged = 0;

  created(tenant: string, kind: ConfigurationKind, name: string, fields: readonly string[]): void {
    this.changes.push({ tenant, kind, name, action: "create", fields: [...fields] });
  }

  /** Counts as unchanged when there are no fields. */
  updated(tenant: string, kind: ConfigurationKind, name: string, fields: readonly string[]): void {
    if (fields.length === 0) this.unchanged++;
    else this.changes.push({ tenant, kind, name, action: "update", fields: [...fields] });
  }

  /** One more field of what was reported just before, as created, changed or unchanged. */
  amended(tenant: string, kind: ConfigurationKind, name: string, field: string): void {
    const change = this.changes.findLast(
      (one) => one.tenant === tenant && one.kind === kind && one.name === name,
    );
    if (!change) {
      this.unchanged--;
      this.updated(tenant, kind, name, [field]);
    } else if (change.action === "update") change.fields.push(field);
  }

  result(): ConfigurationResult {
    return { changes: this.changes, unchanged: this.unchanged, generated: this.generated };
  }
}

/** Runs the work on each entry; a refusal names the entry, in front of the fields that it names already. */
export async function forEachEntry<T>(
  entries: readonly T[] | undefined,
  path: string,
  work: (entry: T, path: string) => Promise<void>,
): Promise<void> {
  for (const [index, entry] of (entries ?? []).entries()) {
    const here = `${path}/${index}`;
    await work(entry, here).catch((error: unknown) => {
      if (!(error instanceof IdentityError)) throw error;
      throw within(error, here);
    });
  }
}

function within(error: IdentityError, path: string): IdentityError {
  const fields = error.fields?.map((field) => ({ ...field, path: path + field.path }));
  return new IdentityError(error.code, {
    cause: error,
    fields: fields ?? [{ path, message: error.message }],
    ...(error.reason === undefined ? {} : { reason: error.reason }),
    ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }),
  });
}

/** A refusal of one field of the entry at hand. */
export function wrongField(path: string, message: string): IdentityError {
  return new IdentityError("configuration.invalid", { fields: [{ path, message }] });
}

/** An id or serial is used when the object is made, and never changes after. @throws IdentityError `object.id_fixed` */
export function checkFixed(
  present: { id: string; serial?: number },
  wanted: { id?: string | undefined; serial?: number | undefined },
): void {
  for (const name of ["id", "serial"] as const) {
    if (wanted[name] === undefined || wanted[name] === present[name]) continue;
    const message = `is ${present[name]} already and cannot become ${wanted[name]}`;
    throw new IdentityError("object.id_fixed", { fields: [{ path: `/${name}`, message }] });
  }
}

/** Every item of a list, page by page. */
export async function* everyItem<T>(
  list: (page: { limit: number; after?: string }) => Promise<Page<T>>,
): AsyncGenerator<T> {
  let after: string | undefined;
  for (;;) {
    const { items, next } = await list({ limit: 200, ...(after === undefined ? {} : { after }) });
    yield* items;
    if (next === null) return;
    after = next;
  }
}
