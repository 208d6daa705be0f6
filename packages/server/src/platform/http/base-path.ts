import type { FastifyRequest } from "fastify";

/**
 * Before the addresses of the tenant: `""` or `/t/<slug>`. The default tenant has two addresses, and so two issuers: each
 * answers with its own.
 */
export function basePath(request: FastifyRequest): string {
  const { tenant } = request.params as { tenant?: string };
  return tenant === undefined ? "" : `/t/${tenant}`;
}
