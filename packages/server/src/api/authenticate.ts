import { IdentityError, type Tenant } from "@ostiary/contracts";
import type { FastifyRequest, onRequestHookHandler } from "fastify";
import { applicationPermissions, holds } from "../domain/access/index.ts";
import { apiKeyPermissions, findApiKey, type VerifiedApiKey } from "../domain/api-keys/index.ts";
import type { Deps } from "../domain/deps.ts";
import { findTenantById, findTenantBySlug } from "../domain/tenants/index.ts";
import { issuerOf, type VerifiedToken, verifyAccessToken } from "../domain/tokens/index.ts";
import { after } from "../kernel/after.ts";
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
  impersonatorId?: string | null;
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
export function authenticate(deps: Deps, operatorSecret: string): onRequestHookHandler {
  const operator = Buffer.from(operatorSecret);
  return (request, _reply, done) => {
    // Everything is in the caches nearly always; then this costs no tick.
    try {
      const set = after(callerOf(deps, request, operator), (caller) => setContext(deps, request, caller));
      if (set instanceof Promise) set.then(() => done(), done);
      else done();
    } catch (error) {
      done(error as Error);
    }
  };
}

/** @returns undefined for a route that needs no credentials and got none. */
function callerOf(
  deps: Deps,
  request: FastifyRequest,
  operator: Buffer,
): Caller | undefined | Promise<Caller | undefined> {
  const header = request.headers.authorization;
  if (header === undefined) {
    if (request.routeOptions.config.public) return undefined;
    throw new IdentityError("authentication.required");
  }
  const space = header.indexOf(" ");
  const scheme = header.slice(0, space).toLowerCase();
  const credentials = header.slice(space + 1).trim();
  if (scheme === "bearer") {
    return credentials.startsWith("ak_")
      ? callerOfApiKey(deps, credentials)
      : callerOfToken(deps, request, credentials);
  }
  if (scheme === "operator" && equalBytes(Buffer.from(credentials), operator)) {
    return { tenant: request.tenant, actor: { type: "operator", id: null }, permissions: ALL_PERMISSIONS };
  }
  throw new IdentityError("authentication.required", { reason: `scheme ${scheme}` });
}

function setContext(deps: Deps, request: FastifyRequest, caller: Caller | undefined): void | Promise<void> {
  const slug = request.headers["ostiary-tenant"];
  const own = caller?.tenant ?? request.tenant;
  const wanted = typeof slug === "string" && slug !== own.slug ? findTenantBySlug(deps, slug) : own;
  return after(wanted, (tenant) => {
    const mayCross = !caller || (own.slug === "default" && holds(caller.permissions, "tenants:manage"));
    if (!tenant || (tenant.id !== own.id && !mayCross)) throw new IdentityError("tenant.not_found");
    request.tenant = tenant;
    request.context = {
      ...request.context,
      tenantId: tenant.id,
      ...(caller
        ? {
            actor: caller.actor,
            permissions: caller.permissions,
            // Whose delegated rights count; in another tenant nobody's.
            subject: tenant.id === own.id ? (caller.subject ?? null) : null,
            sessionId: caller.sessionId ?? null,
            impersonatorId: caller.impersonatorId ?? null,
          }
        : {}),
    };
  });
}

function callerOfToken(deps: Deps, request: FastifyRequest, token: string): Caller | Promise<Caller> {
  return after(tenantOfToken(deps, token), (found) => {
    const tenant = found ?? request.tenant;
    return after(verifyAccessToken(deps, tenant, token), (verified) =>
      after(permissionsOfToken(deps, verified), (permissions) => toCaller(tenant, verified, permissions)),
    );
  });
}

function toCaller(tenant: Tenant, verified: VerifiedToken, permissions: ReadonlySet<string>): Caller {
  const { principal, application, claims } = verified;
  const who = principal
    ? ({ type: "user", id: principal.userId } as const)
    : ({ type: "application", id: application.id } as const);
  const limit = claims.scopes.has("manage") ? null : NO_PERMISSIONS;
  const { sessionId, impersonatorId } = claims;
  return { tenant, actor: who, permissions, subject: { ...who, limit }, sessionId, impersonatorId };
}

function permissionsOfToken(
  deps: Deps,
  { claims, principal, application }: VerifiedToken,
): ReadonlySet<string> | Promise<ReadonlySet<string>> {
  const manages = claims.scopes.has("manage");
  if (!principal) return manages ? applicationPermissions(deps, application) : NO_PERMISSIONS;
  const permissions = manages ? principal.permissions : NO_PERMISSIONS;
  return claims.scopes.has("account") ? new Set([...permissions, OWN_ACCOUNT]) : permissions;
}

/**
 * The tenant that a token says it is from. Nothing is believed yet: the token is then verified with that tenant's
 * keys, and its issuer is compared.
 */
function tenantOfToken(deps: Deps, token: string): Tenant | null | Promise<Tenant | null> {
  const issuer = readIssuer(token);
  const slug = issuer?.startsWith(`${deps.publicUrl}/t/`)
    ? issuer.slice(deps.publicUrl.length + 3)
    : undefined;
  if (slug === undefined) return null;
  return after(findTenantBySlug(deps, slug), (tenant) =>
    tenant && issuerOf(deps, tenant) === issuer ? tenant : null,
  );
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

function callerOfApiKey(deps: Deps, credentials: string): Caller | Promise<Caller> {
  return after(findApiKey(deps, credentials), (key) => {
    if (!key) throw new IdentityError("api_key.invalid");
    return after(findTenantById(deps, key.tenantId), (tenant) => {
      if (!tenant) throw new IdentityError("api_key.invalid");
      return after(apiKeyPermissions(deps, key), (permissions) => {
        if (!permissions) throw new IdentityError("api_key.invalid", { reason: "owner not active" });
        return { tenant, actor: { type: "api-key", id: key.id }, permissions, subject: subjectOf(key) };
      });
    });
  });
}

/** For whom a key speaks; nobody in particular when it is global. */
function subjectOf(key: VerifiedApiKey): RequestContext["subject"] {
  const limit = key.permissions === null ? null : new Set(key.permissions);
  if (key.userId !== null) return { type: "user", id: key.userId, limit };
  return key.applicationId === null ? null : { type: "application", id: key.applicationId, limit };
}
