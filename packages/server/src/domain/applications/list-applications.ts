import {
  IdentityError,
  type Page,
  type PageRequest,
  type Application as PublicApplication,
} from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { checkPermission, checkPermissionIn } from "../access/index.ts";
import type { Deps } from "../deps.ts";
import { type ApplicationFilter, findApplicationById, findApplications } from "./application.store.ts";

/** Needs `application:read`. Newest first. */
export async function listApplications(
  deps: Deps,
  context: RequestContext,
  query: PageRequest & ApplicationFilter = {},
): Promise<Page<PublicApplication>> {
  checkPermission(context, "application:read");
  const limit = query.limit ?? 50;
  const rows = await findApplications(deps.database, context.tenantId, query, limit + 1);
  const items = rows.slice(0, limit);
  return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}

/** Needs `application:read`. @throws IdentityError `application.not_found` */
export async function getApplication(
  deps: Deps,
  context: RequestContext,
  id: string,
): Promise<PublicApplication> {
  await checkPermissionIn(deps, context, "application:read", { applicationId: id });
  const application = await findApplicationById(deps.database, context.tenantId, id);
  if (!application) throw new IdentityError("application.not_found");
  return application;
}
