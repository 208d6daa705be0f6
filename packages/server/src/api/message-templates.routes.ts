import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import {
  MessageTemplate,
  MessageTemplateKey,
  MessageTemplates,
  PreviewMessageTemplate,
  RenderedMessage,
  WriteMessageTemplate,
} from "@ostiary/contracts";
import { Type } from "typebox";
import type { Deps } from "../domain/deps.ts";
import {
  deleteMessageTemplate,
  listMessageTemplates,
  previewMessageTemplate,
  writeMessageTemplate,
} from "../domain/notifications/index.ts";
import { answer, IdempotencyHeaders } from "./idempotency.ts";
import { problems } from "./problems.ts";

const TAGS = ["Message templates"];
const PATH = "/message-templates/:template/:channel/:locale";

/** The words of the mails and text messages that the server sends. */
export function messageTemplateRoutes(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      "/message-templates",
      {
        schema: {
          operationId: "listMessageTemplates",
          summary: "List message templates",
          description:
            "Needs the permission `settings:read`. Every message in every language that it has words in, the " +
            "tenant's own before the built-in ones.",
          tags: TAGS,
          response: { 200: MessageTemplates, ...problems() },
        },
      },
      async (request) => ({ items: await listMessageTemplates(deps, request.context) }),
    );
    app.put(
      PATH,
      {
        schema: {
          operationId: "writeMessageTemplate",
          summary: "Set your own words for a message",
          description:
            "Needs the permission `settings:write`. The language may be one that has no built-in words.",
          tags: TAGS,
          params: MessageTemplateKey,
          headers: IdempotencyHeaders,
          body: WriteMessageTemplate,
          response: { 200: MessageTemplate, ...problems(409, 413, 415, 422) },
        },
      },
      (request, reply) =>
        answer(deps, request, reply, async (joined) => {
          const body = await writeMessageTemplate(joined, request.context, request.params, request.body);
          return { status: 200, headers: {}, body };
        }),
    );
    app.delete(
      PATH,
      {
        schema: {
          operationId: "deleteMessageTemplate",
          summary: "Go back to the built-in words of a message",
          description: "Needs the permission `settings:write`.",
          tags: TAGS,
          params: MessageTemplateKey,
          headers: IdempotencyHeaders,
          response: { 204: Type.Null({ description: "Deleted" }), ...problems(409, 422) },
        },
      },
      (request, reply) =>
        answer(deps, request, reply, async (joined) => {
          await deleteMessageTemplate(joined, request.context, request.params);
          return { status: 204, headers: {} };
        }),
    );
    app.post(
      "/message-templates/preview",
      {
        schema: {
          operationId: "previewMessageTemplate",
          summary: "See a message as it would be sent",
          description:
            "Needs the permission `settings:read`. With example values; of the words that you give, or of those in " +
            "use. Nothing is sent.",
          tags: TAGS,
          body: PreviewMessageTemplate,
          response: { 200: RenderedMessage, ...problems(413, 415) },
        },
      },
      (request) => previewMessageTemplate(deps, request.context, request.body),
    );
  };
}
