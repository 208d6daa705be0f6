import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { TenantSettings, TenantSettingsPatch } from "@ostiary/contracts";
import type { Deps } from "../domain/deps.ts";
import { getSettings, updateSettings } from "../domain/tenants/index.ts";
import { answer } from "./idempotency.ts";
import { problems } from "./problems.ts";
import { ChangeHeaders, etag, expectedVersion } from "./resource.ts";

/** The settings of the caller's tenant. Their ETag is the tenant's. */
export function settingsRoutes(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      "/settings",
      {
        schema: {
          operationId: "getSettings",
          summary: "Read the tenant's settings",
          description: "Needs the permission `settings:read`. What was never set has its default.",
          tags: ["Settings"],
          response: { 200: TenantSettings, ...problems() },
        },
      },
      async (request, reply) => {
        const { settings, version } = await getSettings(deps, request.context);
        return reply.headers(etag(version)).send(settings);
      },
    );
    app.patch(
      "/settings",
      {
        schema: {
          operationId: "updateSettings",
          summary: "Change the tenant's settings",
          description: "Needs the permission `settings:write`. What is absent stays, within a group too.",
          tags: ["Settings"],
          headers: ChangeHeaders,
          body: TenantSettingsPatch,
          response: { 200: TenantSettings, ...problems(409, 412, 413, 415, 422) },
        },
      },
      (request, reply) =>
        answer(deps, request, reply, async (joined) => {
          const version = expectedVersion(request.headers["if-match"]);
          const tenant = await updateSettings(joined, request.context, request.body, version);
          return { status: 200, headers: etag(tenant.version), body: tenant.settings };
        }),
    );
  };
}
