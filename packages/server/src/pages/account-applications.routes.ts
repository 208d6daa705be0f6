import { IdentityError } from "@ostiary/contracts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Deps } from "../domain/deps.ts";
import { listGrants, revokeGrant } from "../domain/grants/index.ts";
import { accountView, forSignedIn, linksOf } from "./account.ts";
import { renderAccountApplicationsPage } from "./account-applications.page.ts";
import { noticeOf } from "./problems.ts";
import { formOf, queryText, seeOther, sendPage } from "./respond.ts";
import type { SignedIn } from "./session.ts";

/** What applications may do for the person. */
export function applicationRoutes(app: FastifyInstance, deps: Deps): void {
  const path = "/account/applications";
  app.get(
    path,
    forSignedIn(deps, path, (...call) => show(deps, ...call)),
  );
  app.post(
    path,
    forSignedIn(deps, path, (...call) => revoke(deps, ...call)),
  );
}

async function show(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  who: SignedIn,
): Promise<FastifyReply> {
  const links = linksOf(request);
  const view = await accountView(deps, request, reply, who, { path: links.applications });
  const grants = await listGrants(deps, who.context, who.session.userId);
  const page = renderAccountApplicationsPage({
    ...view,
    action: links.applications,
    csrf: who.csrf,
    links,
    applications: grants.map(({ applicationId, applicationName, scopes, createdAt }) => ({
      id: applicationId,
      name: applicationName,
      scopes: scopes.map((name) => ({ name })),
      since: new Date(createdAt),
    })),
    timeZone: who.principal.profile.zoneinfo ?? undefined,
    notice: noticeOf(queryText(request, "notice")),
  });
  return sendPage(deps, reply, view.nonce, page);
}

/** Taking something back makes the account safer: no proof is asked for it. */
async function revoke(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  { context, session }: SignedIn,
): Promise<FastifyReply> {
  const path = linksOf(request).applications;
  const { application } = formOf(request);
  if (application === undefined) return seeOther(reply, path);
  const revoked = await revokeGrant(deps, context, session.userId, application).then(() => true, isNone);
  return seeOther(reply, path, revoked ? { notice: "application-revoked" } : {});
}

/** Taken back before, in another tab: the list shows what there is. */
function isNone(error: unknown): false {
  if (error instanceof IdentityError && error.code === "grant.not_found") return false;
  throw error;
}
