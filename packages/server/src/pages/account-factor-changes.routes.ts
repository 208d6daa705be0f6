import { type Factor, IdentityError } from "@ostiary/contracts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { listFactors, makeRecoveryCodes, renameFactor } from "../domain/credentials/index.ts";
import type { Deps } from "../domain/deps.ts";
import { removeOwnFactor } from "../domain/sign-in/index.ts";
import { toIdentityError } from "../platform/http/problems.ts";
import { accountView, linksOf } from "./account.ts";
import { renderConfirmPage, renderRenameFactorPage } from "./account-security.page.ts";
import { factorName } from "./factor-input.ts";
import { problemsOf, requiredMessage } from "./problems.ts";
import { forRecentlySignedIn } from "./recent.ts";
import { renderRecoveryCodesPage } from "./recovery.page.ts";
import { formOf, queryText, seeOther, sendPage } from "./respond.ts";
import { displayName, type SignedIn } from "./session.ts";
import type { FormErrors } from "./views.ts";

type Call = [request: FastifyRequest, reply: FastifyReply, who: SignedIn];
type Answer = Promise<FastifyReply>;

const RENAME = "/account/security/rename";
const REMOVE = "/account/security/remove";
const RECOVERY_CODES = "/account/security/recovery-codes";

/** Changing the factors that the account has. */
export function factorChangeRoutes(app: FastifyInstance, deps: Deps): void {
  app.get(
    RENAME,
    forRecentlySignedIn(deps, RENAME, (...call) => showRename(deps, call)),
  );
  app.post(
    RENAME,
    forRecentlySignedIn(deps, RENAME, (...call) => rename(deps, call)),
  );
  app.get(
    REMOVE,
    forRecentlySignedIn(deps, REMOVE, (...call) => showRemove(deps, call)),
  );
  app.post(
    REMOVE,
    forRecentlySignedIn(deps, REMOVE, (...call) => remove(deps, call)),
  );
  app.get(
    RECOVERY_CODES,
    forRecentlySignedIn(deps, RECOVERY_CODES, (...call) => askForRecoveryCodes(deps, call)),
  );
  app.post(
    RECOVERY_CODES,
    forRecentlySignedIn(deps, RECOVERY_CODES, (...call) => showRecoveryCodes(deps, call)),
  );
}

/** @throws IdentityError `factor.not_found` */
async function factorOf(deps: Deps, request: FastifyRequest, { session }: SignedIn): Promise<Factor> {
  const id = queryText(request, "factor");
  const factors = await listFactors(deps, request.tenant.id, session.userId);
  const found = factors.find((factor) => factor.id === id);
  if (!found) throw new IdentityError("factor.not_found");
  return found;
}

/** The page's own address: which factor it is about stands in it. */
function addressOf(request: FastifyRequest, page: string, { id }: Factor) {
  const path = `${linksOf(request).security}/${page}`;
  return { address: { path, query: { factor: id } }, action: `${path}?factor=${id}` };
}

async function showRename(
  deps: Deps,
  [request, reply, who]: Call,
  failure: { errors?: FormErrors<"name">; status?: number } = {},
): Answer {
  const factor = await factorOf(deps, request, who);
  const { address, action } = addressOf(request, "rename", factor);
  const view = await accountView(deps, request, reply, who, address);
  const page = renderRenameFactorPage({
    ...view,
    action,
    csrf: who.csrf,
    links: linksOf(request),
    name: factor.name,
    errors: failure.errors,
  });
  return sendPage(deps, reply, view.nonce, page, { status: failure.status ?? 200 });
}

async function rename(deps: Deps, call: Call): Answer {
  const [request, reply, who] = call;
  const { id } = await factorOf(deps, request, who);
  const name = factorName(formOf(request).name);
  if (name === "") {
    return showRename(deps, call, { errors: { name: requiredMessage("field.passkeyName") }, status: 400 });
  }
  await deps.database.transaction((tx) =>
    renameFactor(deps, tx, who.context, who.session.userId, { id, name }),
  );
  return seeOther(reply, linksOf(request).security, { notice: "factor-renamed" });
}

async function showRemove(
  deps: Deps,
  [request, reply, who]: Call,
  failure: { errors?: FormErrors<never>; status?: number } = {},
): Answer {
  const factor = await factorOf(deps, request, who);
  const { address, action } = addressOf(request, "remove", factor);
  const view = await accountView(deps, request, reply, who, address);
  const page = renderConfirmPage({
    ...view,
    action,
    csrf: who.csrf,
    links: linksOf(request),
    question: factor.kind === "passkey" ? "removePasskey" : "removeTotp",
    name: factor.name,
    errors: failure.errors,
  });
  return sendPage(deps, reply, view.nonce, page, { status: failure.status ?? 200 });
}

async function remove(deps: Deps, call: Call): Answer {
  const [request, reply, who] = call;
  const { id } = await factorOf(deps, request, who);
  const { userId } = who.session;
  try {
    await removeOwnFactor(deps, who.context, request.tenant, userId, id);
    return seeOther(reply, linksOf(request).security, { notice: "factor-removed" });
  } catch (thrown) {
    const error = toIdentityError(thrown);
    const errors = problemsOf(error, []);
    if (!errors) throw thrown;
    return showRemove(deps, call, { errors, status: error.status });
  }
}

async function askForRecoveryCodes(deps: Deps, [request, reply, who]: Call): Answer {
  const links = linksOf(request);
  const path = `${links.security}/recovery-codes`;
  const view = await accountView(deps, request, reply, who, { path });
  const page = renderConfirmPage({ ...view, action: path, csrf: who.csrf, links, question: "recoveryCodes" });
  return sendPage(deps, reply, view.nonce, page);
}

/** The answer to the post itself: a page that is loaded again would have to make them again. */
async function showRecoveryCodes(deps: Deps, [request, reply, who]: Call): Answer {
  const codes = await makeRecoveryCodes(deps, who.context, who.session.userId);
  const view = await accountView(deps, request, reply, who);
  const page = renderRecoveryCodesPage({
    ...view,
    codes,
    account: displayName(who.principal),
    nextUrl: linksOf(request).security,
  });
  return sendPage(deps, reply, view.nonce, page);
}
