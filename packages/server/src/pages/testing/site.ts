import { createHash } from "node:crypto";
import { createApplication } from "../../domain/applications/index.ts";
import { createTenant } from "../../domain/tenants/index.ts";
import { createUser } from "../../domain/users/index.ts";
import { newId } from "../../kernel/identifiers.ts";
import { aServer, type TestServer, type TestServerOptions } from "../../testing/a-server.ts";
import { contextOf } from "../../testing/test-deps.ts";
import { alertOf, type Visit, Visitor } from "./visitor.ts";

export const PASSWORD = "correct horse battery staple";
export const CALLBACK = "https://shop.example.com/callback";

/** A server with a tenant of its own whose pages are at `base`, and people in it. */
export async function aSite(settings: object = {}, options: TestServerOptions = {}) {
  const server = await aServer(options);
  return Object.assign(await aTenant(server, settings), {
    server,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  });
}

export async function aTenant(server: TestServer, settings: object = {}) {
  const { deps, app } = server;
  const slug = `t${newId(new Date())}`;
  const tenant = await createTenant(deps, contextOf(server.tenantId), {
    slug,
    name: "Example Ltd",
    settings,
  });
  const admin = contextOf(tenant.id);
  const base = `/t/${slug}`;
  const application = async (input: object = {}) => {
    const created = await createApplication(deps, admin, {
      slug: `a${newId(new Date())}`,
      name: "Shop",
      redirectUris: [CALLBACK],
      postLogoutRedirectUris: ["https://shop.example.com/bye"],
      tokenEndpointAuthMethod: "none",
      ...input,
    });
    return created.application;
  };
  return {
    tenant,
    admin,
    base,
    deps,
    visitor: (headers?: Record<string, string>) => new Visitor(app, headers),
    user: (username: string, more: object = {}) =>
      createUser(deps, admin, { username, password: { plain: PASSWORD }, ...more }),
    application,
    /** A visitor who is signed in for the account pages. */
    async signedIn(username: string): Promise<Visitor> {
      const visitor = new Visitor(app);
      const page = await visitor.open(`${base}/sign-in`);
      const done = await visitor.submit(page, { identifier: username, password: PASSWORD });
      if (done.status !== 303) throw new Error(`not signed in: ${done.status} ${alertOf(done)}`);
      await visitor.follow(done);
      return visitor;
    },
  };
}

/** The address at which an application sends a browser to us. */
export function authorizeUrl(base: string, clientId: string, more: Record<string, string> = {}): string {
  const query = new URLSearchParams({
    client_id: clientId,
    redirect_uri: CALLBACK,
    response_type: "code",
    scope: "openid profile",
    state: "the state",
    code_challenge: createHash("sha256").update("v".repeat(43)).digest("base64url"),
    code_challenge_method: "S256",
    ...more,
  });
  return `${base}/oauth/authorize?${query}`;
}

/** The parameters with which the browser comes back to the application. */
export function answerOf(visit: Visit): URLSearchParams {
  if (!visit.location.startsWith(CALLBACK))
    throw new Error(`not at the application: ${visit.status} ${visit.location}`);
  return new URL(visit.location).searchParams;
}
