import { type IdentifierChange, IdentityError } from "@ostiary/contracts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Deps } from "../domain/deps.ts";
import {
  cancelIdentifierChange,
  findIdentifierChange,
  giveChangeCode,
  sendChangeCode,
} from "../domain/sign-in/index.ts";
import { toIdentityError } from "../platform/http/problems.ts";
import { accountView, forSignedIn, linksOf, loadUser } from "./account.ts";
import { renderCodePage } from "./code.page.ts";
import { problemsOf, requiredMessage } from "./problems.ts";
import { formOf, queryText, seeOther, sendPage } from "./respond.ts";
import type { SignedIn } from "./session.ts";
import type { FormErrors } from "./views.ts";

type Call = [request: FastifyRequest, reply: FastifyReply, who: SignedIn];
type Answer = Promise<FastifyReply>;

const CONFIRM = "/account/contact/confirm";

/** The codes that a change of an address waits for. */
export function confirmChangeRoutes(app: FastifyInstance, deps: Deps): void {
  app.get(
    CONFIRM,
    forSignedIn(deps, CONFIRM, (...call) => overOr(call, () => show(deps, call))),
  );
  app.post(
    CONFIRM,
    forSignedIn(deps, CONFIRM, (...call) => overOr(call, () => take(deps, call))),
  );
}

/** A change that is over, made in another tab or expired, leads back to the list, which shows what there is. */
async function overOr([request, reply]: Call, serve: () => Answer): Answer {
  try {
    return await serve();
  } catch (error) {
    const over = ["identifier_change.not_found", "identifier_change.outdated", "flow.wrong_step"];
    if (!(error instanceof IdentityError && over.includes(error.code))) throw error;
    return seeOther(reply, linksOf(request).contact, { notice: "change-over" });
  }
}

async function show(
  deps: Deps,
  [request, reply, who]: Call,
  failure: { errors?: FormErrors<"code">; status?: number } = {},
): Answer {
  const links = linksOf(request);
  const change = await findIdentifierChange(deps, who.context, queryText(request, "change") ?? "");
  const path = `${links.contact}/confirm`;
  const query = { change: change.id };
  const view = await accountView(deps, request, reply, who, { path, query });
  const page = renderCodePage({
    ...view,
    action: `${path}?change=${change.id}`,
    csrf: who.csrf,
    links,
    sent: {
      channel: change.kind === "phone" ? "sms" : "email",
      target: await addressOf(deps, who, change),
      certain: true,
      resendSeconds: 0,
    },
    purpose: "confirm",
    cancelStep: "cancel",
    notice: change.state === "confirm-old" ? "change.confirmOld" : undefined,
    errors: failure.errors,
  });
  return sendPage(deps, reply, view.nonce, page, { status: failure.status ?? 200 });
}

/** To where the code went that is asked for. It is the person's own: nothing need be hidden. */
async function addressOf(deps: Deps, who: SignedIn, change: IdentifierChange): Promise<string | undefined> {
  if (change.state !== "confirm-old") return change.value ?? undefined;
  const user = await loadUser(deps, who);
  return (change.kind === "phone" ? user.phone : user.email) ?? undefined;
}

async function take(deps: Deps, call: Call): Answer {
  const [request, reply, { context }] = call;
  const links = linksOf(request);
  const id = queryText(request, "change") ?? "";
  const { step, code } = formOf(request);
  try {
    if (step === "cancel") {
      await cancelIdentifierChange(deps, context, id);
      return seeOther(reply, links.contact, { notice: "change-cancelled" });
    }
    if (step === "send-code") await sendChangeCode(deps, context, request.tenant, id);
    else if (!code?.trim()) {
      return await show(deps, call, { errors: { code: requiredMessage("field.code") }, status: 400 });
    } else {
      const next = await giveChangeCode(deps, context, request.tenant, id, code);
      if (next.state === "applied") return seeOther(reply, links.contact, { notice: "contact-changed" });
    }
    return seeOther(reply, `${links.contact}/confirm`, { change: id });
  } catch (thrown) {
    const error = toIdentityError(thrown);
    const errors = problemsOf(error, ["code"]);
    if (!errors) throw thrown;
    if (error.retryAfter !== undefined) reply.header("retry-after", String(Math.ceil(error.retryAfter)));
    return show(deps, call, { errors, status: error.status });
  }
}
