import { LinkAccount } from "@ostiary/contracts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Check } from "typebox/value";
import type { Deps } from "../domain/deps.ts";
import { linkAccount, listIdentities, proveAccount } from "../domain/sign-in/index.ts";
import { toIdentityError } from "../platform/http/problems.ts";
import { accountView, linksOf } from "./account.ts";
import { renderLinkAccountPage, renderMoveCodePage } from "./account-link.page.ts";
import { renderConfirmPage } from "./account-security.page.ts";
import { problemsOf, requiredMessage } from "./problems.ts";
import { forRecentlySignedIn } from "./recent.ts";
import { formOf, seeOther, sendPage } from "./respond.ts";
import type { SignedIn } from "./session.ts";
import type { FormErrors } from "./views.ts";

type Call = [request: FastifyRequest, reply: FastifyReply, who: SignedIn];
type Answer = Promise<FastifyReply>;

const LINK = "/account/security/link";
const MOVE = "/account/security/move";

/** Two accounts of one person: what signs him in to the one shall sign him in to the other. Each proves itself. */
export function linkRoutes(app: FastifyInstance, deps: Deps): void {
  app.get(
    LINK,
    forRecentlySignedIn(deps, LINK, (...call) => showLink(deps, call)),
  );
  app.post(
    LINK,
    forRecentlySignedIn(deps, LINK, (...call) => takeCode(deps, call)),
  );
  app.get(
    MOVE,
    forRecentlySignedIn(deps, MOVE, (...call) => askToMove(deps, call)),
  );
  app.post(
    MOVE,
    forRecentlySignedIn(deps, MOVE, (...call) => showCode(deps, call)),
  );
}

async function showLink(
  deps: Deps,
  [request, reply, who]: Call,
  failure: { errors?: FormErrors<"code">; status?: number } = {},
): Answer {
  const links = linksOf(request);
  const path = `${links.security}/link`;
  const view = await accountView(deps, request, reply, who, { path });
  const page = renderLinkAccountPage({
    ...view,
    action: path,
    csrf: who.csrf,
    links,
    errors: failure.errors,
  });
  return sendPage(deps, reply, view.nonce, page, { status: failure.status ?? 200 });
}

async function takeCode(deps: Deps, call: Call): Answer {
  const [request, reply, { context }] = call;
  // What is copied brings spaces and line breaks along.
  const token = (formOf(request).code ?? "").replace(/\s/g, "");
  if (token === "") {
    return showLink(deps, call, { errors: { code: requiredMessage("field.moveCode") }, status: 400 });
  }
  if (!Check(LinkAccount, { token })) {
    return showLink(deps, call, { errors: { code: "problem.proofRefused" }, status: 400 });
  }
  try {
    const moved = await linkAccount(deps, context, token);
    return seeOther(reply, linksOf(request).security, {
      notice: moved.length > 0 ? "linked" : "nothing-linked",
    });
  } catch (thrown) {
    const error = toIdentityError(thrown);
    const errors = problemsOf(error, ["code"]);
    if (!errors) throw thrown;
    return showLink(deps, call, { errors, status: error.status });
  }
}

/** Without anything to give there is nothing to ask. */
async function askToMove(deps: Deps, [request, reply, who]: Call): Answer {
  const links = linksOf(request);
  const identities = await listIdentities(deps, who.context, who.session.userId);
  if (identities.length === 0) return seeOther(reply, links.security);
  const path = `${links.security}/move`;
  const view = await accountView(deps, request, reply, who, { path });
  const page = renderConfirmPage({ ...view, action: path, csrf: who.csrf, links, question: "moveLinked" });
  return sendPage(deps, reply, view.nonce, page);
}

/** The answer to the post itself: the code is shown once. */
async function showCode(deps: Deps, [request, reply, who]: Call): Answer {
  const { token } = await proveAccount(deps, who.context);
  const view = await accountView(deps, request, reply, who);
  const page = renderMoveCodePage({ ...view, links: linksOf(request), code: token });
  return sendPage(deps, reply, view.nonce, page);
}
