import { IdentityError } from "@ostiary/contracts";
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import type { Deps } from "../domain/deps.ts";
import { accountRoutes } from "./account.routes.ts";
import { type PageAsset, script, stylesheet } from "./assets.ts";
import { consentRoutes } from "./consent.routes.ts";
import { pageErrorHandler } from "./hosted-pages.ts";
import { impersonationRoutes } from "./impersonation.routes.ts";
import { invitationRoutes } from "./invitation.routes.ts";
import { recoverRoutes } from "./recover.routes.ts";
import { basePath, seeOther } from "./respond.ts";
import { setUpRoutes } from "./set-up.routes.ts";
import { signInRoutes } from "./sign-in.routes.ts";
import { signOutRoutes } from "./sign-out.routes.ts";
import { signUpRoutes } from "./sign-up.routes.ts";

export { type HostedPages, hostedPages } from "./hosted-pages.ts";

/** Bytes; the longest form is a profile with every field full. */
const FORM_LIMIT = 128 * 1024;

/** The pages that people see; registered at `/` and at `/t/:tenant`. */
export function pagesPlugin(deps: Deps): FastifyPluginAsync {
  return async (app) => {
    app.setErrorHandler(pageErrorHandler(deps));
    app.removeContentTypeParser(["application/json", "application/merge-patch+json"]);
    app.addHook("onRoute", (route) => {
      route.bodyLimit = FORM_LIMIT;
    });
    signInRoutes(app, deps);
    recoverRoutes(app, deps);
    invitationRoutes(app, deps);
    signUpRoutes(app, deps);
    consentRoutes(app, deps);
    signOutRoutes(app, deps);
    accountRoutes(app, deps);
    impersonationRoutes(app, deps);
    setUpRoutes(app, deps);
    app.get("/", async (request, reply) => seeOther(reply, `${basePath(request)}/account`));
    if (app.prefix === "") app.get("/pages/:file", sendAsset);
  };
}

const YEAR = 31_536_000;
const ASSETS: readonly PageAsset[] = [stylesheet, script];

/**
 * The files that pages load. While an update goes round, a page of the other version may ask for another content's
 * name: it gets ours, which is better than none, but nobody may keep that under the wrong name.
 */
function sendAsset(request: FastifyRequest<{ Params: { file: string } }>, reply: FastifyReply): FastifyReply {
  const path = `/pages/${request.params.file}`;
  const withoutHash = path.replace(/\.[0-9a-f]{12}\./, ".");
  const asset = ASSETS.find((one) => one.path.replace(/\.[0-9a-f]{12}\./, ".") === withoutHash);
  if (!asset) throw new IdentityError("route.not_found");
  return reply
    .headers({
      "cache-control": asset.path === path ? `public, max-age=${YEAR}, immutable` : "no-cache",
      "x-content-type-options": "nosniff",
    })
    .type(asset.contentType)
    .send(asset.body);
}
