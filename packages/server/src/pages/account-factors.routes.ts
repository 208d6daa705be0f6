import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { beginPasskey, beginTotp, confirmTotp, finishPasskey } from "../domain/credentials/index.ts";
import type { Deps } from "../domain/deps.ts";
import { deviceName } from "../domain/sessions/index.ts";
import { toIdentityError } from "../platform/http/problems.ts";
import { accountView, linksOf } from "./account.ts";
import { renderNewPasskeyPage, renderTotpPage } from "./enrol.page.ts";
import { factorName, isTotpUri, parseJson } from "./factor-input.ts";
import type { TotpView } from "./factor-views.ts";
import { textsFor } from "./i18n.ts";
import { codeProblemsOf, problemsOf } from "./problems.ts";
import { forRecentlySignedIn } from "./recent.ts";
import { formOf, seeOther, sendPage } from "./respond.ts";
import type { SignedIn } from "./session.ts";
import type { FormErrors } from "./views.ts";

type Call = [request: FastifyRequest, reply: FastifyReply, who: SignedIn];
type Answer = Promise<FastifyReply>;

interface Failure {
  errors?: FormErrors<string>;
  status?: number;
}

const TOTP = "/account/security/totp";
const PASSKEY = "/account/security/passkey";

/** Adding a factor to the own account. */
export function addFactorRoutes(app: FastifyInstance, deps: Deps): void {
  app.get(
    TOTP,
    forRecentlySignedIn(deps, TOTP, (...call) => showTotp(deps, call)),
  );
  app.post(
    TOTP,
    forRecentlySignedIn(deps, TOTP, (...call) => takeTotp(deps, call)),
  );
  app.get(
    PASSKEY,
    forRecentlySignedIn(deps, PASSKEY, (...call) => showPasskey(deps, call)),
  );
  app.post(
    PASSKEY,
    forRecentlySignedIn(deps, PASSKEY, (...call) => takePasskey(deps, call)),
  );
}

/** @param begun - the app that waits for its first code; default: a new one. */
async function showTotp(
  deps: Deps,
  [request, reply, who]: Call,
  begun?: Pick<TotpView, "uri" | "id">,
  failure: Failure = {},
): Answer {
  const links = linksOf(request);
  const path = `${links.security}/totp`;
  const view = await accountView(deps, request, reply, who, { path });
  const name = textsFor(view.language).t("enrol.totp");
  const { uri, id } =
    begun ?? (await beginTotp(deps, who.context, request.tenant, who.session.userId, { name }));
  const page = renderTotpPage({
    ...view,
    action: path,
    csrf: who.csrf,
    links,
    uri,
    id,
    errors: failure.errors,
  });
  return sendPage(deps, reply, view.nonce, page, { status: failure.status ?? 200 });
}

async function takeTotp(deps: Deps, call: Call): Answer {
  const [request, reply, { context, session }] = call;
  const { code = "", id = "", uri = "" } = formOf(request);
  try {
    await deps.database.transaction((tx) =>
      confirmTotp(deps, tx, context, request.tenant, session.userId, { id, code }),
    );
    return seeOther(reply, linksOf(request).security, { notice: "totp-added" });
  } catch (thrown) {
    const error = toIdentityError(thrown);
    const errors = codeProblemsOf(error, "enrol-totp");
    if (!errors) throw thrown;
    // Begun in another tab since: what was scanned is worth nothing.
    const begun = error.code === "factor.not_found" || !isTotpUri(uri) ? undefined : { id, uri };
    return showTotp(deps, call, begun, { errors, status: error.status });
  }
}

async function showPasskey(deps: Deps, [request, reply, who]: Call, failure: Failure = {}): Answer {
  const links = linksOf(request);
  const path = `${links.security}/passkey`;
  const { session } = who;
  const view = await accountView(deps, request, reply, who, { path });
  const subject = session.id;
  const passkey = await beginPasskey(deps, who.context, request.tenant, session.userId, { subject });
  const page = renderNewPasskeyPage({
    ...view,
    action: path,
    csrf: who.csrf,
    links,
    passkey,
    name: formOf(request).name ?? deviceName(request.context.userAgent),
    errors: failure.errors as FormErrors<"name">,
  });
  return sendPage(deps, reply, view.nonce, page, { status: failure.status ?? 200 });
}

async function takePasskey(deps: Deps, call: Call): Answer {
  const [request, reply, { context, session }] = call;
  const { passkey = "", name = "" } = formOf(request);
  try {
    const answer = { subject: session.id, response: parseJson(passkey), name: factorName(name) };
    await deps.database.transaction((tx) =>
      finishPasskey(deps, tx, context, request.tenant, session.userId, answer),
    );
    return seeOther(reply, linksOf(request).security, { notice: "passkey-added" });
  } catch (thrown) {
    const error = toIdentityError(thrown);
    const errors = problemsOf(error, []);
    if (!errors) throw thrown;
    return showPasskey(deps, call, { errors, status: error.status });
  }
}
