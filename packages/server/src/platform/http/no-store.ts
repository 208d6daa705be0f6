import type { onRequestHookHandler } from "fastify";

/**
 * For doors whose answers say who somebody is or carry tokens (RFC 6749 §5.1, RFC 9111 §5.2.2.5): no cache on the way
 * keeps them. A route that serves something else says so itself.
 */
export const storeNothing: onRequestHookHandler = (_request, reply, done) => {
  reply.header("cache-control", "no-store");
  done();
};
