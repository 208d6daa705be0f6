import { IdentityError, type Tenant } from "@ostiary/contracts";
import type { FastifyRequest } from "fastify";
import {
  type Application,
  findApplication,
  findApplicationBySerial,
  provesToBe,
} from "../../domain/applications/index.ts";
import type { Deps } from "../../domain/deps.ts";
import { checkTokenFor, type TokenHolder } from "../../domain/provisioning/index.ts";
import { after } from "../../kernel/after.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { NO_PERMISSIONS } from "../../kernel/context.ts";
import { toApplicationName } from "./translate.ts";

export function succeed<T>(data: T): { code: 0; message: string; data: T } {
  return { code: 0, message: "ok", data };
}

/** The application that calls. @throws IdentityError `client.rejected`, `application.disabled` */
export function callerOf(
  deps: Deps,
  { headers, tenant, ip }: FastifyRequest,
): Application | Promise<Application> {
  const name = toApplicationName(String(headers["x-app-id"] ?? ""));
  const secret = String(headers["x-app-secret"] ?? "");
  if (!name) throw new IdentityError("client.rejected", { reason: "X-App-ID is no id" });
  const found =
    "id" in name
      ? findApplication(deps, tenant.id, name.id)
      : findApplicationBySerial(deps, tenant.id, name.serial);
  return after(found, (application) => {
    const clientId = "id" in name ? name.id : String(name.serial);
    if (!provesToBe(deps, { tenantId: tenant.id, ip }, clientId, application, secret))
      throw new IdentityError("client.rejected");
    if (application.status !== "active") throw new IdentityError("application.disabled");
    return application;
  });
}

/** The person of a token, who must be allowed to use the calling application. @throws IdentityError those of `checkTokenFor` */
export function userOf(
  deps: Deps,
  tenant: Tenant,
  caller: Application,
  token: string | null | undefined,
): TokenHolder | Promise<TokenHolder> {
  if (!token) throw new IdentityError("token.invalid", { reason: "no token" });
  return checkTokenFor(deps, tenant, caller, token);
}

/** The request as the calling application's own: who has shown a secret is named in the audit log. */
export function contextOf(request: FastifyRequest, caller: Application): RequestContext {
  return { ...request.context, actor: { type: "application", id: caller.id }, permissions: NO_PERMISSIONS };
}

/** Whether the caller names itself by its serial; then applications are named so in the answer. */
export function nameOf(request: FastifyRequest, application: { id: string; serial: number }): string {
  const name = toApplicationName(String(request.headers["x-app-id"] ?? ""));
  return name && "serial" in name ? String(application.serial) : application.id;
}
