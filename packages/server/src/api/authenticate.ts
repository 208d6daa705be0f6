import { IdentityError, type Tenant } from "@ostiary/contracts";
import type { FastifyRequest, onRequestAsyncHookHandler } from "fastify";
import { applicationPermissions, holds } from "../domain/access/index.ts";
import { apiKeyPermissions, findApiKey } from "../domain/api-keys/index.ts";
import type { Deps } from "../domain/deps.ts";
import { findTenantById, findTenantBySlug } from "../domain/tenants/index.ts";
import { issuerOf, type VerifiedToken, verifyAccessToken } from "../domain/tokens/index.ts";
import { equalBytes } from "../kernel/constant-time.ts";
import { type Actor, ALL_PERMISSIONS, NO_PERMISSIONS, type RequestContext } from "../kernel/context.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Needs no credentials. Everything else answers 401 without. */
    public?: boolean;
  }
}

/** Whose credentials were shown, and what they allow in their own tenant. */
interface Caller {
  tenant: Tenant;
  actor: Actor;
  permissions: ReadonlySet<string>;
  subject?: RequestContext["subject"];
  sessionId?: string | null;
}

/** What a token may do with the user's own account; held by nobody's role. */
export const OWN_ACCOUNT = "account:manage";

/**
 * Who calls API v1: `Authorization: Bearer` with an access token or an API key (`ak_…`).
 *
 * The tenant is the credentials' own. With `Ostiary-Tenant: <slug>` an administrator of the default tenant who holds
 * `tenants:manage` works in another tenant; for everybody else that tenant does not exist.
 *
 * A user's token acts with the user's permissions only when it has the scope `manage`, which an application must be
 * allowed to ask for: otherwise any application an administrator signs in to could administer.
 */
export function authenticate(deps: Deps, operatorSecret: string): onRequestAsyncHookHandler {
  const operator = Buffer.from(operatorSecret);
  return async (request) => {
    const header = request.headers.authorization;
    if (header === undefined) {
      if (request.routeOptions.config.public) return applyTenantHeader(deps, request, undefined);
      throw new IdentityError("authentication.required");
    }
    const space = header.indexOf(" ");
    const scheme = header.slice(0, space).toLowerCase();
    const credentials = header.slice(space + 1).trim();
    const caller =
      scheme === "operator" && equalBytes(Buffer.from(credentials), operator)
        ? {
            tenant: request.tenant,
            actor: { type: "operator", id: null } as const,
            permissions: ALL_PERMISSIONS,
          }
        : scheme === "bearer"
          ? await callerOfBearer(deps, request, credentials)
          : undefined;
    if (!caller) throw new IdentityError("authentication.required", { reason: `scheme ${scheme}` });
    await applyTenantHeader(deps, request, caller);
  };
}

async function applyTenantHeader(
  deps: Deps,
  request: FastifyRequest,
  caller: Caller | undefined,
): Promise<void> {
  const slug = request.headers["ostiary-tenant"];
  const own = caller?.tenant ?? request.tenant;
  const wished = typeof slug === "string" && slug !== own.slug ? await findTenantBySlug(deps, slug) : own;
  const mayCross = !caller || (own.slug === "default" && holds(caller.permissions, "tenants:manage"));
  if (!wished || (wished.id !== own.id && !mayCross)) throw new IdentityError("tenant.not_found");
  request.tenant = wished;
  request.context = {
    ...request.context,
    tenantId: wished.id,
    ...(caller
      ? {
          actor: caller.actor,
          permissions: caller.permissions,
          // Whose delegated rights count; in another tenant nobody's.
          subject: wished.id === own.id ? (caller.subject ?? null) : null,
          sessionId: caller.sessionId ?? null,
        }
      : {}),
  };
}

function callerOfBearer(deps: Deps, request: FastifyRequest, credentials: string): Promise<Caller> {
  return credentials.startsWith("ak_")
    ? callerOfApiKey(deps, credentials)
    : callerOfToken(deps, request, credentials);
}

async function callerOfToken(deps: Deps, request: FastifyRequest, token: string): Promise<Caller> {
  const tenant = (await tenantOfToken(deps, token)) ?? request.tenant;
  const verified = await verifyAccessToken(deps, tenant, token);
  const { principal, application, claims } = verified;
  const actor: Actor = principal
    ? { type: "user", id: principal.userId }
    : { type: "application", id: application.id };
  const limit = claims.scopes.has("manage") ? null : NO_PERMISSIONS;
  return {
    tenant,
    actor,
    permissions: await permissionsOfToken(deps, verified),
    subject: principal
      ? { type: "user", id: principal.userId, limit }
      : { type: "application", id: application.id, limit },
    sessionId: claims.sessionId,
  };
}

async function permissionsOfToken(
  deps: Deps,
  { claims, principal, application }: VerifiedToken,
): Promise<ReadonlySet<string>> {
  const manages = claims.scopes.has("manage");
  if (!principal) return manages ? applicationPermissions(deps, application) : NO_PERMISSIONS;
  const permissions = manages ? principal.permissions : NO_PERMISSIONS;
  return claims.scopes.has("account") ? new Set([...permissions, OWN_ACCOUNT]) : permissions;
}

/**
 * The tenant that a token says it is from. Nothing is believed yet: the token is then verified with that tenant's
 * keys, and its issuer is compared.
 */
async function tenantOfToken(deps: Deps, token: string): Promise<Tenant | null> {
  const issuer = readIssuer(token);
  const slug = issuer?.startsWith(`${deps.publicUrl}/t/`)
    ? issuer.slice(deps.publicUrl.length + 3)
    : undefined;
  const tenant = slug === undefined ? null : await findTenantBySlug(deps, slug);
  return tenant && issuerOf(deps, tenant) === issuer ? tenant : null;
}

function readIssuer(token: string): string | undefined {
  try {
    const payload: unknown = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"));
    if (payload === null || typeof payload !== "object" || !("iss" in payload)) return undefined;
    return typeof payload.iss === "string" ? payload.iss : undefined;
  } catch {
    return undefined; // garbled: verification says so
  }
}

async function callerOfApiKey(deps: Deps, credentials: string): Promise<Caller> {
  const key = await findApiKey(deps, credentials);
  const tenant = key ? await findTenantById(deps, key.tenantId) : null;
  if (!key || !tenant) throw new IdentityError("api_key.invalid");
  const permissions = await apiKeyPermissions(deps, key);
  if (!permissions) throw new IdentityError("api_key.invalid", { reason: "owner not active" });
  const limit = key.permissions === null ? null : new Set(key.permissions);
  const subject =
    key.userId !== null
      ? ({ type: "user", id: key.userId, limit } as const)
      : key.applicationId !== null
        ? ({ type: "application", id: key.applicationId, limit } as const)
        : null;
  return { tenant, actor: { type: "api-key", id: key.id }, permissions, subject };
}
