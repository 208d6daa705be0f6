import { ChangeUsername } from "@ostiary/contracts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Check } from "typebox/value";
import type { Deps } from "../domain/deps.ts";
import { changeOwnUsername } from "../domain/users/index.ts";
import { toIdentityError } from "../platform/http/problems.ts";
import { accountView, forSignedIn, linksOf } from "./account.ts";
import { renderChangeIdentifierPage } from "./account-contact.page.ts";
import type { Message } from "./i18n.ts";
import { problemsOf, requiredMessage } from "./problems.ts";
import { forRecentlySignedIn } from "./recent.ts";
import { formOf, seeOther, sendPage } from "./respond.ts";
import type { SignedIn } from "./session.ts";

type Call = [request: FastifyRequest, reply: FastifyReply, who: SignedIn];
type Answer = Promise<FastifyReply>;

const USERNAME = "/account/contact/username";

/** Another username, where the tenant lets people choose it. */
export function usernameRoutes(app: FastifyInstance, deps: Deps): void {
  const recently = forRecentlySignedIn(deps, USERNAME, (...call) =>
    call[0].method === "POST" ? take(deps, call) : show(deps, call),
  );
  const serve = forSignedIn(deps, USERNAME, async (request, reply) =>
    request.tenant.settings.signIn.changeUsername
      ? recently(request, reply)
      : seeOther(reply, linksOf(request).contact),
  );
  app.get(USERNAME, serve);
  app.post(USERNAME, serve);
}

async function show(
  deps: Deps,
  [request, reply, who]: Call,
  failure: { error?: Message; form?: Message; status?: number } = {},
): Answer {
  const links = linksOf(request);
  const path = `${links.contact}/username`;
  const view = await accountView(deps, request, reply, who, { path });
  const page = renderChangeIdentifierPage({
    ...view,
    action: path,
    csrf: who.csrf,
    links,
    kind: "username",
    current: who.principal.username ?? undefined,
    value: formOf(request).value,
    removable: false,
    errors: { value: failure.error, form: failure.form },
  });
  return sendPage(deps, reply, view.nonce, page, { status: failure.status ?? 200 });
}

async function take(deps: Deps, call: Call): Answer {
  const [request, reply, { context, principal }] = call;
  const username = (formOf(request).value ?? "").trim();
  const wrong = whatIsWrong(username, principal.username);
  if (wrong) return show(deps, call, { error: wrong, status: 400 });
  try {
    await changeOwnUsername(deps, context, request.tenant, username);
    return seeOther(reply, linksOf(request).contact, { notice: "username-changed" });
  } catch (thrown) {
    const error = toIdentityError(thrown);
    const errors = problemsOf(error, ["username"]);
    if (!errors) throw thrown;
    if (error.retryAfter !== undefined) reply.header("retry-after", String(Math.ceil(error.retryAfter)));
    const { username: field, form } = errors;
    return show(deps, call, {
      ...(field && { error: field }),
      ...(form && { form }),
      status: error.status,
    });
  }
}

function whatIsWrong(username: string, present: string | null): Message | undefined {
  if (username === "") return requiredMessage("field.newUsername");
  if (!Check(ChangeUsername, { username })) return "problem.usernameInvalid";
  return username === present ? "problem.nothingToChange" : undefined;
}
