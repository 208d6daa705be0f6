import { IdentityError } from "@ostiary/contracts";
import type { FastifyRequest } from "fastify";
import {
  type Application,
  checkClientSecret,
  findApplication,
  findApplicationBySerial,
} from "../../domain/applications/index.ts";
import type { Deps } from "../../domain/deps.ts";
import { after } from "../../kernel/after.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { toApplicationName } from "./translate.ts";

export function succeed<T>(data: T): { code: 0; message: string; data: T } {
  return { code: 0, message: "ok", data };
}

/** The application that calls. @throws IdentityError `client.rejected`, `application.disabled` */
export function callerOf(
  deps: Deps,
  { headers, tenant }: FastifyRequest,
): Application | Promise<Application> {
  const name = toApplicationName(String(headers["x-app-id"] ?? ""));
  const secret = String(headers["x-app-secret"] ?? "");
  if (!name) throw new IdentityError("client.rejected", { reason: "X-App-ID is no id" });
  const found =
    "id" in name
      ? findApplication(deps, tenant.id, name.id)
      : findApplicationBySerial(deps, tenant.id, name.serial);
  return after(found, (application) => {
    if (!application || !checkClientSecret(deps, application, secret))
      throw new IdentityError("client.rejected");
    if (application.status !== "active") throw new IdentityError("application.disabled");
    return application;
  });
}

/** The application as the one who acts; rules give it its own things. */
export function actingAs(request: FastifyRequest, application: Application): RequestContext {
  return { ...request.context, actor: { type: "application", id: application.id } };
}
