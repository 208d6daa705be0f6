import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import type { Deps } from "../../domain/deps.ts";
import { storeNothing } from "../../platform/http/no-store.ts";
import { sendRefusal } from "./errors.ts";
import { listRoutes } from "./lists.routes.ts";
import { passwordRoutes } from "./password.routes.ts";
import { profileRoutes } from "./profile.routes.ts";
import { sessionRoutes } from "./session.routes.ts";
import { userRoutes } from "./users.routes.ts";
import { utilityRoutes } from "./utils.routes.ts";

/** The server side of zibanu-django-auth, for front ends that were written against it. */
export function zibanuPlugin(deps: Deps): FastifyPluginAsync {
  return async (app) => {
    // Bodies are read by the services that want one: body.ts.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
    app.setErrorHandler(sendRefusal);
    app.setNotFoundHandler((request, reply) =>
      sendRefusal(app.refuseUnrouted(request, reply), request, reply),
    );
    app.addHook("onRequest", storeNothing);
    app.addHook("onRequest", (request, reply, done) => {
      allowOrigin(request, reply);
      done();
    });
    for (const routes of ROUTES) await app.register(routes(deps));
  };
}

const ROUTES = [sessionRoutes, userRoutes, profileRoutes, listRoutes, utilityRoutes, passwordRoutes];

/** CORS for the pages that the tenant names; tokens are in a header, so cookies are never involved. */
function allowOrigin(request: FastifyRequest, reply: FastifyReply): void {
  const { allowedOrigins } = request.tenant.settings.zibanu;
  const { origin } = request.headers;
  reply.header("vary", "Accept, Accept-Language, Origin");
  if (origin === undefined || !(allowedOrigins.includes("*") || allowedOrigins.includes(origin))) return;
  reply.header("access-control-allow-origin", origin);
  if (request.method !== "OPTIONS") return;
  reply.headers({
    "access-control-allow-methods": "POST",
    "access-control-allow-headers": "authorization, content-type, accept-language",
    "access-control-max-age": "7200",
  });
}
