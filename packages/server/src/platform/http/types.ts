import type { IdentityError, Tenant } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";

declare module "fastify" {
  interface FastifyInstance {
    /** The error for a request that no route matches: 404, or 405 (sets `Allow`). For not-found handlers. */
    refuseUnrouted(request: FastifyRequest, reply: FastifyReply): IdentityError;
    /** The methods that an address supports. */
    allowedMethods(path: string): readonly string[];
  }
  interface FastifyRequest {
    /** The tenant of the address (`/t/<slug>/…`, else `default`); set before any handler runs. */
    tenant: Tenant;
    /** Who calls, set by the authentication of the API or page; anonymous before. */
    context: RequestContext;
  }
}

/** Finds the tenant of a slug; a plain value when it is in the cache, so that the hook costs no tick. */
export type ResolveTenant = (slug: string) => Tenant | null | Promise<Tenant | null>;
