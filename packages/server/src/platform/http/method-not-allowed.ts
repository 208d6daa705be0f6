import { IdentityError } from "@ostiary/contracts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import FindMyWay, { type HTTPMethod } from "find-my-way";

/** Finds the methods that an address supports. Asked only when no route matched, so it costs served requests nothing. */
export type AllowedMethods = (path: string) => string[];

/** Must be called before any route is registered. */
export function trackMethods(app: FastifyInstance): AllowedMethods {
  const router = FindMyWay({ ignoreDuplicateSlashes: true, maxParamLength: 512 });
  const methods = new Set<HTTPMethod>();
  app.addHook("onRoute", (route) => {
    for (const method of [route.method].flat() as HTTPMethod[]) {
      methods.add(method);
      if (!router.hasRoute(method, route.url))
        router.on(method, route.url, () => {}, route.url.replace(/:[^/]+/g, ":"));
    }
  });
  return (path) => {
    const found = [...methods].flatMap((method) => {
      const route = router.find(method, path);
      return route ? [{ method, parameters: Object.keys(route.params).length, shape: route.store }] : [];
    });
    // `/keys/rotate` is an address of its own, although `/keys/:id` fits it too.
    const [nearest] = found.sort((a, b) => a.parameters - b.parameters);
    return found.filter(({ shape }) => shape === nearest?.shape).map(({ method }) => method);
  };
}

/** 404, or 405 with `Allow` where the address exists but not with that method (RFC 9110 §15.5.6). */
export function refuseUnrouted(request: FastifyRequest, reply: FastifyReply): IdentityError {
  const allowed = request.server.allowedMethods(pathOf(request));
  if (allowed.length === 0) return new IdentityError("route.not_found");
  reply.header("allow", allowed.join(", "));
  return new IdentityError("request.method_not_allowed");
}

/**
 * Whether a request whose parameters do not fit has come to the wrong route: `PATCH /keys/rotate` comes to
 * `/keys/:id`, but is an address of its own, which has no PATCH.
 */
export function isMisrouted(request: FastifyRequest): boolean {
  return !request.server.allowedMethods(pathOf(request)).includes(request.method);
}

function pathOf(request: FastifyRequest): string {
  return request.raw.url?.split("?", 1)[0] ?? "/";
}
