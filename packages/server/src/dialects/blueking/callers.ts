import { type ErrorCode, IdentityError } from "@ostiary/contracts";
import type { FastifyRequest } from "fastify";
import { type Application, findApplicationByCode, provesToBe } from "../../domain/applications/index.ts";
import type { Deps } from "../../domain/deps.ts";
import { findTenantBySlug } from "../../domain/tenants/index.ts";
import { after } from "../../kernel/after.ts";
import type { Credentials } from "./wire.ts";

/** Characters. The gateway's limits are 32 and 128; our slugs and secrets may be longer than its codes. */
const MAX_CODE = 64;
const MAX_SECRET = 512;
/** Bytes of the header. */
const MAX_HEADER = 4_096;

/** A parameter of the query or body; one that is there twice counts as absent. */
export function textOf(source: unknown, ...names: string[]): string {
  const values = (source ?? {}) as Record<string, unknown>;
  for (const name of names) {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (typeof value === "string" && value !== "") return value;
  }
  return "";
}

/**
 * What the caller shows: `X-Bkapi-Authorization` (bkpaas-auth 4.x), then the body, then the query (2.x).
 *
 * @throws IdentityError `client.rejected` for a header that is no JSON object
 */
export function credentialsOf(request: FastifyRequest): Credentials {
  const header = request.headers["x-bkapi-authorization"];
  const source = header === undefined ? undefined : readHeader(String(header));
  const read = (...names: string[]) =>
    textOf(source, ...names) || textOf(request.body, ...names) || textOf(request.query, ...names);
  return {
    code: read("bk_app_code", "app_code", "app_id"),
    secret: read("bk_app_secret", "app_secret"),
    bkToken: read("bk_token", "bk_ticket"),
    accessToken: read("access_token"),
    username: read("bk_username", "username"),
  };
}

function readHeader(header: string): object {
  if (header.length > MAX_HEADER) throw new IdentityError("client.rejected", { reason: "header too long" });
  let value: unknown;
  try {
    value = JSON.parse(header); // names, tokens and secrets: nothing in it can be nested too deeply or be a number
  } catch (cause) {
    throw new IdentityError("client.rejected", { reason: "X-Bkapi-Authorization is no JSON", cause });
  }
  if (typeof value !== "object" || value === null) {
    throw new IdentityError("client.rejected", { reason: "X-Bkapi-Authorization is no object" });
  }
  return value;
}

/**
 * The application that calls, by code and secret.
 *
 * @throws IdentityError `client.rejected`, `application.disabled`
 */
export function callerOf(
  deps: Deps,
  request: FastifyRequest,
  { code, secret }: Pick<Credentials, "code" | "secret">,
): Application | Promise<Application> {
  return after(namedApplication(deps, request, code), (application) => {
    const caller = { tenantId: request.tenant.id, ip: request.ip };
    if (!provesToBe(deps, caller, code, application, secret.length > MAX_SECRET ? "" : secret)) {
      throw new IdentityError("client.rejected", { reason: "unknown code or wrong secret" });
    }
    return active(application);
  });
}

/**
 * The application that calls through the gateway. Its applications are of one tenant each, and say which in
 * `X-Bk-Tenant-Id` or not at all: one that proves to be another tenant's is told so, where an unknown one is not.
 *
 * @param options.anyTenant - the header may say anything: bkpaas-auth 4.x has `default` in it everywhere, apigw-manager `system`.
 * @throws IdentityError `client.rejected`, `application.disabled`, `application.other_tenant`
 */
export async function gatewayCallerOf(
  deps: Deps,
  request: FastifyRequest,
  credentials: Pick<Credentials, "code" | "secret">,
  { anyTenant }: { anyTenant: boolean },
): Promise<Application> {
  const home = String(request.headers["x-bk-tenant-id"] ?? "");
  const isElsewhere = home !== "" && home !== request.tenant.slug;
  try {
    const application = await callerOf(deps, request, credentials);
    if (isElsewhere && !anyTenant) throw new IdentityError("application.other_tenant", { reason: "header" });
    return application;
  } catch (error) {
    const isUnknown = (error as { code?: ErrorCode }).code === "client.rejected";
    if (!isUnknown || !isElsewhere || !(await isProvenIn(deps, request, home, credentials))) throw error;
    throw new IdentityError("application.other_tenant", { reason: `an application of ${home}` });
  }
}

async function isProvenIn(
  deps: Deps,
  request: FastifyRequest,
  home: string,
  { code, secret }: Pick<Credentials, "code" | "secret">,
): Promise<boolean> {
  if (code === "" || code.length > MAX_CODE || secret.length > MAX_SECRET || home.length > MAX_CODE)
    return false;
  const tenant = await findTenantBySlug(deps, home);
  if (!tenant) return false;
  const application = await findApplicationByCode(deps, tenant.id, code);
  return provesToBe(deps, { tenantId: tenant.id, ip: request.ip }, code, application, secret);
}

function active(application: Application): Application {
  if (application.status !== "active") throw new IdentityError("application.disabled");
  return application;
}

/**
 * The application on whose behalf a ticket is verified: proven by its secret, or only named (bkpaas-auth 2.x has no
 * credentials, but keeps `?app_code=` of its address), which can only take something away; or none.
 *
 * @throws IdentityError `client.rejected`, `application.disabled`
 */
export function verifierOf(
  deps: Deps,
  request: FastifyRequest,
): Application | null | Promise<Application | null> {
  const credentials = credentialsOf(request);
  const { requireAppCredentials } = request.tenant.settings.blueking;
  if (credentials.secret !== "" || requireAppCredentials) return callerOf(deps, request, credentials);
  if (credentials.code === "") return null;
  return after(namedApplication(deps, request, credentials.code), (named) => {
    if (!named) throw new IdentityError("client.rejected", { reason: "unknown code" });
    return active(named);
  });
}

export function namedApplication(
  deps: Deps,
  { tenant }: FastifyRequest,
  code: string,
): Application | null | Promise<Application | null> {
  return code === "" || code.length > MAX_CODE ? null : findApplicationByCode(deps, tenant.id, code);
}
