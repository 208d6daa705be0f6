import { EventPattern, IdentityError, WebAddress } from "@ostiary/contracts";
import type { FastifyPluginAsync } from "fastify";
import { Type } from "typebox";
import type { Deps } from "../../domain/deps.ts";
import { registerOwnWebhook, unregisterOwnWebhook } from "../../domain/webhooks/index.ts";
import { isId } from "../../kernel/identifiers.ts";
import { callerOf, contextOf, succeed } from "./calls.ts";
import { ReplyOf } from "./wire.ts";

const Registration = Type.Object({
  url: WebAddress(),
  events: Type.Array(EventPattern, { minItems: 1, maxItems: 100 }),
  secret: Type.Optional(Type.Union([Type.String({ maxLength: 256 }), Type.Null()])),
});

/** Endpoints 14 and 15. */
export function webhookRoutes(deps: Deps): FastifyPluginAsync {
  return async (app) => {
    app.post<{ Body: Type.Static<typeof Registration> }>(
      "/webhook/register",
      {
        schema: {
          body: Registration,
          response: {
            200: ReplyOf(
              Type.Object({ webhook_id: Type.String(), webhookId: Type.String(), success: Type.Boolean() }),
            ),
          },
        },
      },
      async (request) => {
        const caller = await callerOf(deps, request);
        const { url, events, secret } = request.body;
        const { id } = await registerOwnWebhook(deps, contextOf(request, caller), {
          url,
          // `*` is every event that there is for an application.
          events: [...new Set(events.map((pattern) => (pattern === "*" ? "user.*" : pattern)))],
          secret: secret || null,
          format: "huace",
        });
        return succeed({ webhook_id: id, webhookId: id, success: true });
      },
    );

    app.post<{ Body: { webhookId: string } }>(
      "/webhook/unregister",
      {
        schema: {
          body: Type.Object({ webhookId: Type.String({ maxLength: 64 }) }),
          response: { 200: ReplyOf(Type.Object({ success: Type.Boolean() })) },
        },
      },
      async (request) => {
        const caller = await callerOf(deps, request);
        const { webhookId } = request.body;
        if (!isId(webhookId)) throw new IdentityError("webhook.not_found");
        await unregisterOwnWebhook(deps, contextOf(request, caller), webhookId);
        return succeed({ success: true });
      },
    );
  };
}
