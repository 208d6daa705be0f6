import swagger from "@fastify/swagger";
import { Problem } from "@ostiary/contracts";
import type { FastifyInstance, FastifySchema } from "fastify";
import { renderReference } from "./reference-page.ts";

const DESCRIPTION = `
Everything that can be administered in Ostiary.

**Credentials.** \`Authorization: Bearer\` with an API key (\`ak_…\`) or an access token. A user's token needs the scope
\`manage\` to administer and \`account\` for the user's own account (\`/me\`).

**Tenant.** The credentials' own. Administrators of the default tenant who hold \`tenants:manage\` name another one with
the header \`Ostiary-Tenant: <slug>\`.

**Lists** are pages, newest first: follow \`next\` with \`after\`.

**Changes.** \`PATCH\` changes the fields that are present; \`null\` clears one. Send the \`ETag\` of what you read as
\`If-Match\` to refuse a change of what somebody else has changed meanwhile. Send an \`Idempotency-Key\` with every
change that you may have to repeat.

**Errors** are problem documents (RFC 9457). Switch on \`code\`.
`.trim();

const JSON_TYPE = "application/json; charset=utf-8";

/** Collects the document from the routes that are registered after this, and serves it with its reference page. */
export async function serveOpenApi(app: FastifyInstance, publicUrl: string, version: string): Promise<void> {
  app.addSchema(Problem);
  await app.register(swagger, {
    refResolver: { buildLocalReference: (schema) => String(schema.$id) },
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Ostiary API",
        version,
        description: DESCRIPTION,
        license: { name: "Apache-2.0", identifier: "Apache-2.0" },
      },
      servers: [{ url: publicUrl }],
      security: [{ bearer: [] }],
      components: {
        securitySchemes: {
          bearer: { type: "http", scheme: "bearer", description: "An API key (`ak_…`) or an access token" },
        },
      },
    },
    transform: ({ schema, url, route }) => {
      const isPublic = route.config?.public === true;
      const transformed = isPublic ? { ...(schema as FastifySchema), security: [] } : schema;
      return { schema: transformed, url };
    },
  });
  // Made once, at the first request: every route is registered then.
  let document: string | undefined;
  let page: string | undefined;
  app.get("/openapi.json", { config: { public: true }, schema: { hide: true } }, (_request, reply) => {
    document ??= JSON.stringify(app.swagger());
    return reply.type(JSON_TYPE).header("access-control-allow-origin", "*").send(document);
  });
  app.get("/docs", { config: { public: true }, schema: { hide: true } }, (_request, reply) => {
    page ??= renderReference(JSON.parse(JSON.stringify(app.swagger())));
    return reply
      .type("text/html; charset=utf-8")
      .header(
        "content-security-policy",
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
      )
      .header("x-content-type-options", "nosniff")
      .send(page);
  });
}
