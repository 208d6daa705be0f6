import type { FastifyPluginAsync, FastifyRequest } from "fastify";
import type { Deps } from "../../domain/deps.ts";
import { checkTicket } from "../../domain/tickets/index.ts";
import { after } from "../../kernel/after.ts";
import { textOf, verifierOf } from "./callers.ts";
import { refusalsOf } from "./errors.ts";
import { GET_USER, IS_LOGIN, type Shape } from "./translate.ts";
import { IsLoginReply, TicketReply } from "./wire.ts";

/** The door that tickets open. */
export const SLOT = "blueking";

interface Call {
  path: string;
  parameter: "bk_token" | "bk_ticket";
  shape: Shape;
  reply?: object;
}

const CALLS: readonly Call[] = [
  { path: "/login/api/v3/is_login", parameter: "bk_token", shape: IS_LOGIN.v3, reply: IsLoginReply },
  { path: "/login/api/v2/is_login", parameter: "bk_token", shape: IS_LOGIN.v2 },
  { path: "/login/accounts/is_login", parameter: "bk_token", shape: IS_LOGIN.v1 },
  { path: "/user/is_login", parameter: "bk_ticket", shape: IS_LOGIN.ticket, reply: TicketReply },
  { path: "/login/api/v3/get_user", parameter: "bk_token", shape: GET_USER.v3 },
  { path: "/login/api/v2/get_user", parameter: "bk_token", shape: GET_USER.v2 },
  { path: "/login/accounts/get_user", parameter: "bk_token", shape: GET_USER.v1 },
];

/**
 * "Who has this ticket?" in all the forms in which it has been asked, with and without slash at the end. Handlers answer
 * without a tick when everything they need is in the caches: they return promises only otherwise.
 */
export function verifyRoutes(deps: Deps): FastifyPluginAsync {
  return async (app) => {
    for (const { path, parameter, shape, reply } of CALLS) {
      const options = {
        errorHandler: refusalsOf(shape),
        ...(reply ? { schema: { response: { 200: reply } } } : {}),
      };
      const answer = (request: FastifyRequest) =>
        after(verifierOf(deps, request), (application) => {
          const ticket = textOf(request.query, parameter) || textOf(request.body, parameter);
          return after(checkTicket(deps, request.tenant.id, SLOT, ticket, application), ({ principal }) =>
            shape.succeed(principal, request.tenant),
          );
        });
      for (const url of [path, `${path}/`]) {
        app.get(url, options, answer);
        app.post(url, options, answer); // ours: keeps the ticket out of the logs of what is on the way
      }
    }
  };
}
