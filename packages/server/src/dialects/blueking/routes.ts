import type { FastifyPluginAsync } from "fastify";
import type { Deps } from "../../domain/deps.ts";
import { storeNothing } from "../../platform/http/no-store.ts";
import { detailsRoutes } from "./details.routes.ts";
import { sendGatewayError } from "./errors.ts";
import { gatewayRoutes } from "./gateway.routes.ts";
import { type BluekingPages, loginRoutes } from "./login.routes.ts";
import { tokenServiceRoutes } from "./ssm.routes.ts";
import { verifyRoutes } from "./verify.routes.ts";

/**
 * BlueKing's login service, its user information and its gateway's tokens. What programs call is never answered with a
 * redirect or a cookie: bkpaas-auth 4.x takes both along to the next call, the application's secret included.
 */
export function bluekingPlugin(deps: Deps, pages: BluekingPages): FastifyPluginAsync {
  return async (app) => {
    app.addHook("onRequest", storeNothing);
    app.setErrorHandler(sendGatewayError);
    app.setNotFoundHandler((request, reply) =>
      sendGatewayError(app.refuseUnrouted(request, reply), request, reply),
    );
    await app.register(loginRoutes(deps, pages));
    await app.register(verifyRoutes(deps));
    await app.register(detailsRoutes(deps));
    await app.register(gatewayRoutes(deps));
    await app.register(tokenServiceRoutes(deps));
  };
}
