import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { AllowedImpersonation, AllowImpersonation } from "@ostiary/contracts";
import type { Deps } from "../domain/deps.ts";
import { allowImpersonation } from "../domain/sign-in/index.ts";
import { problems } from "./problems.ts";
import { IdParameters } from "./resource.ts";

/** Acting as a user, for support. */
export function impersonationRoutes(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    // No idempotency key: its stored answer would keep the link.
    app.post(
      "/users/:id/impersonation",
      {
        schema: {
          operationId: "allowImpersonation",
          summary: "Get a link by which to act as a user",
          description:
            "For a user's access token, with the permission `user:impersonate` and every permission that the other user " +
            "has. The link works once, for five minutes, in the browser in which the caller is signed in. Credentials, " +
            "factors and identifiers cannot be changed in such a session, and nothing can be agreed to; it ends after " +
            "half an hour or with the caller's own session. Audit entries and tokens (`act`) name both.",
          tags: ["Users"],
          params: IdParameters,
          body: AllowImpersonation,
          response: { 201: AllowedImpersonation, ...problems(409, 413, 415) },
        },
      },
      async (request, reply) => {
        const allowed = await allowImpersonation(deps, request.context, request.params.id, request.body);
        return reply.code(201).send(allowed);
      },
    );
  };
}
