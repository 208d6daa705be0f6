import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { DirectSignIn, IdentityError, SignedIn } from "@ostiary/contracts";
import { findPrincipal } from "../domain/access/index.ts";
import { findApplication, provesToBe } from "../domain/applications/index.ts";
import type { Deps } from "../domain/deps.ts";
import { signInDirectly } from "../domain/sign-in/index.ts";
import { issueAccessToken } from "../domain/tokens/index.ts";
import { newId } from "../kernel/identifiers.ts";
import { problems } from "./problems.ts";

/** Signing in from an application's own form. */
export function signInRoutes(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.post(
      "/sign-in",
      {
        config: { public: true },
        schema: {
          operationId: "signIn",
          summary: "Sign a user in with identifier and password",
          description:
            "For confidential applications that have a form of their own; browsers are better sent to the hosted " +
            "page. The session counts like any other: lock-out, sign-out and revocation apply to it.",
          tags: ["Sign-in"],
          body: DirectSignIn,
          response: { 201: SignedIn, ...problems(400, 401, 403, 404, 413, 415, 429, 503) },
        },
      },
      async (request, reply) => {
        const { applicationId, applicationSecret, identifier, password } = request.body;
        const { tenant, context } = request;
        const application = await findApplication(deps, tenant.id, applicationId);
        if (!provesToBe(deps, context, applicationId, application, applicationSecret)) {
          throw new IdentityError("client.rejected");
        }
        const { flow } = await signInDirectly(deps, context, tenant, { applicationId, identifier, password });
        const scopes = application.scopes.filter((scope) => scope !== "offline_access");
        const principal = await findPrincipal(deps, tenant.id, flow.userId);
        const now = deps.clock.now();
        const issued = await issueAccessToken(deps, {
          tenant,
          application,
          familyId: newId(now),
          subject: flow.userId,
          scopes,
          sessionId: flow.sessionId,
          authenticatedAt: now,
          amr: flow.amr,
          roles: principal?.roles,
        });
        return reply.code(201).send({
          userId: flow.userId,
          sessionId: flow.sessionId,
          accessToken: issued.token,
          tokenType: "Bearer" as const,
          expiresIn: issued.expiresIn,
          scope: scopes.join(" "),
        });
      },
    );
  };
}
