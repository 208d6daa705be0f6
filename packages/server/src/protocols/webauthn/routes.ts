import type { FastifyPluginAsync } from "fastify";
import type { Deps } from "../../domain/deps.ts";

/** Related origins: which other sites may use the passkeys of this domain (WebAuthn §5.11.1). Browsers read it. */
export function webauthnPlugin(deps: Deps): FastifyPluginAsync {
  const origins = [new URL(deps.publicUrl).origin, ...(deps.passkeyOrigins ?? [])];
  return async (app) => {
    app.get("/.well-known/webauthn", async (_request, reply) =>
      reply.header("cache-control", "public, max-age=3600").send({ origins }),
    );
  };
}
