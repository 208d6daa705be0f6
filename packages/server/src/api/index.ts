import { readFileSync } from "node:fs";
import type { FastifyPluginAsync } from "fastify";
import type { Deps } from "../domain/deps.ts";
import { accessRoutes } from "./access.routes.ts";
import { accessGrantRoutes } from "./access-grants.routes.ts";
import { apiKeyRoutes } from "./api-keys.routes.ts";
import { applicationRoutes } from "./applications.routes.ts";
import { auditRoutes } from "./audit.routes.ts";
import { authenticate } from "./authenticate.ts";
import { avatarRoutes } from "./avatars.routes.ts";
import { configurationRoutes } from "./configuration.routes.ts";
import { customFieldRoutes } from "./custom-fields.routes.ts";
import { factorRoutes } from "./factors.routes.ts";
import { grantRoutes } from "./grants.routes.ts";
import { groupRoutes } from "./groups.routes.ts";
import { headlessSignInRoutes } from "./headless-sign-in.routes.ts";
import { identifierChangeRoutes } from "./identifier-changes.routes.ts";
import { identityRoutes } from "./identities.routes.ts";
import { impersonationRoutes } from "./impersonation.routes.ts";
import { invitationRoutes } from "./invitations.routes.ts";
import { dialectKeyRoutes, signingKeyRoutes } from "./keys.routes.ts";
import { messageTemplateRoutes } from "./message-templates.routes.ts";
import { namespaceRoutes } from "./namespaces.routes.ts";
import { serveOpenApi } from "./openapi.ts";
import { organizationRoutes } from "./organizations.routes.ts";
import { policyRoutes } from "./policies.routes.ts";
import { provisioningRoutes } from "./provisioning.routes.ts";
import { resourceRoutes } from "./resources.routes.ts";
import { roleRoutes } from "./roles.routes.ts";
import { serviceRoutes } from "./services.routes.ts";
import { sessionRoutes } from "./sessions.routes.ts";
import { settingsRoutes } from "./settings.routes.ts";
import { signInRoutes } from "./sign-in.routes.ts";
import { tenantRoutes } from "./tenants.routes.ts";
import { usageRoutes } from "./usage.routes.ts";
import { userRoutes } from "./users.routes.ts";
import { webhookRoutes } from "./webhooks.routes.ts";

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

const ROUTES = [
  tenantRoutes,
  settingsRoutes,
  userRoutes,
  avatarRoutes,
  identifierChangeRoutes,
  identityRoutes,
  impersonationRoutes,
  customFieldRoutes,
  namespaceRoutes,
  resourceRoutes,
  roleRoutes,
  policyRoutes,
  accessGrantRoutes,
  accessRoutes,
  groupRoutes,
  organizationRoutes,
  invitationRoutes,
  applicationRoutes,
  apiKeyRoutes,
  sessionRoutes,
  factorRoutes,
  grantRoutes,
  signingKeyRoutes,
  dialectKeyRoutes,
  webhookRoutes,
  messageTemplateRoutes,
  provisioningRoutes,
  usageRoutes,
  serviceRoutes,
  auditRoutes,
  configurationRoutes,
  signInRoutes,
  headlessSignInRoutes,
];

/** REST API v1. Everything but what says `public` needs credentials. */
export function apiPlugin(deps: Deps, options: { operatorSecret: string }): FastifyPluginAsync {
  return async (app) => {
    app.removeContentTypeParser("application/x-www-form-urlencoded"); // forms are for pages and OAuth
    app.addHook("onRequest", authenticate(deps, options.operatorSecret));
    app.addHook("onSend", (_request, reply, _payload, done) => {
      if (!reply.hasHeader("cache-control")) reply.header("cache-control", "no-store");
      done();
    });
    await serveOpenApi(app, deps.publicUrl, version);
    for (const routes of ROUTES) await app.register(routes(deps));
  };
}
