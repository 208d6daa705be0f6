import { IdentityError, type SignInFlow } from "@ostiary/contracts";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Deps } from "../domain/deps.ts";
import { flowView, passkeyOptions } from "../domain/sign-in/index.ts";
import { renderCodePage } from "./code.page.ts";
import type { CodeView, OtherWays, PasskeyOptions } from "./factor-views.ts";
import { type FlowPage, finishFlow } from "./flow-page.ts";
import { renderLinkSentPage } from "./link.page.ts";
import { showNewPassword } from "./new-password.routes.ts";
import { noticeOf } from "./problems.ts";
import { applicationLook, basePath, formOf, queryText } from "./respond.ts";
import { showEnrolment, showSecondFactor } from "./show-second-factor.ts";
import {
  askedFor,
  type Failure,
  flowForm,
  otherIdentifierUrl,
  type Shown,
  sendFlowPage,
  sentCode,
} from "./shown-flow.ts";
import { renderSignInPage } from "./sign-in.page.ts";
import type { SignInView } from "./views.ts";

type Answer = Promise<FastifyReply>;

/** Shows what the flow asks for now; a finished one goes where it leads. */
export async function showFlow(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  page: FlowPage,
  failure: Failure = {},
): Answer {
  const { flow } = page;
  if (flow.state === "authenticated") return finishFlow(deps, request, reply, { flow });
  const may = await flowView(deps, request.context, request.tenant, flow);
  const shown: Shown = { deps, request, reply, page, may, path: `${basePath(request)}/sign-in`, failure };
  if (flow.state === "new-password") return showNewPassword(deps, request, reply, page, failure);
  if (flow.state === "second-factor") return showSecondFactor(shown);
  if (flow.state === "enrol-factor") return showEnrolment(shown);
  if (flow.state === "identifier" || flow.state === "password" || askedFor(request) === "other") {
    return showSignIn(shown);
  }
  return flow.state === "link-sent" ? showLinkSent(shown) : showCode(shown, flow.state);
}

/** Options for the browser, where passkeys can be used at all. */
async function loadPasskeyOptions({ deps, request, page, may }: Shown): Promise<PasskeyOptions | undefined> {
  if (!may.steps.includes("use-passkey")) return undefined;
  try {
    return await passkeyOptions(deps, request.context, request.tenant, page.flow);
  } catch (error) {
    if (error instanceof IdentityError && error.code === "passkey.unavailable") return undefined;
    throw error;
  }
}

async function showSignIn(shown: Shown): Answer {
  const { request, page, may } = shown;
  const { flow, application } = page;
  const base = basePath(request);
  const first = flow.state === "identifier";
  const together = request.tenant.settings.signInForm === "together";
  const view = flowForm(shown);
  const has = (step: SignInFlow["steps"][number]) => may.steps.includes(step);
  const text = renderSignInPage({
    ...view,
    step: !first ? "password" : together ? "together" : "identifier",
    values: { identifier: (first ? formOf(request).identifier : undefined) ?? flow.identifier ?? undefined },
    application: applicationLook(application),
    identifiers: ["username", "email", "phone"],
    methods: may.methods.filter((method) => method !== "passkey"),
    passkey: await loadPasskeyOptions(shown),
    recoverUrl: has("start-recovery") ? `${base}/recover?flow=${flow.id}` : undefined,
    signUpUrl: has("sign-up") && first ? `${base}/sign-up?flow=${flow.id}` : undefined,
    otherIdentifierUrl: otherIdentifierUrl(shown),
    unlockable: shown.failure.code === "credential.locked" && has("start-unlock"),
    again: flow.facts.boundTo !== undefined,
    errors: shown.failure.errors as SignInView["errors"],
    notice: shown.failure.errors ? undefined : noticeOf(queryText(request, "notice")),
  });
  return sendFlowPage(shown, view, text);
}

/** Back to what else one can begin with, if there is anything. */
function otherFirstFactors(shown: Shown): OtherWays {
  const { may, path } = shown;
  const ways =
    may.methods.length > 1
      ? ([{ factor: "other", url: `${path}?flow=${may.id}&method=other` }] as const)
      : [];
  return { ways, otherIdentifierUrl: otherIdentifierUrl(shown) };
}

function showLinkSent(shown: Shown): FastifyReply {
  const sent = sentCode(shown, false);
  if (!sent) throw new IdentityError("flow.not_found", { reason: "no link was sent" });
  const view = flowForm(shown);
  const text = renderLinkSentPage({ ...view, sent, otherWays: otherFirstFactors(shown) });
  return sendFlowPage(shown, view, text);
}

const CODES = {
  code: { purpose: "sign-in", resend: "send-code", certain: false },
  recovery: { purpose: "recovery", resend: "start-recovery", certain: false },
  unlock: { purpose: "recovery", resend: "start-unlock", certain: false },
  "verify-identifier": { purpose: "verify", resend: "send-code", certain: true },
} as const;

/** Where else the code of a recovery can go: who has lost the mailbox needs another way. */
function otherAddresses({ may }: Shown, state: keyof typeof CODES, channel: string): CodeView["elsewhere"] {
  if (state !== "recovery" && state !== "unlock") return [];
  const { resend } = CODES[state];
  const ways = may.recoveryChannels.flatMap((one) =>
    one === "email" ? (["email", "backup_email"] as const) : ([one] as const),
  );
  return ways.filter((way) => way !== channel).map((way) => ({ step: `${resend} ${way}`, way }));
}

function showCode(shown: Shown, state: keyof typeof CODES): FastifyReply {
  const { purpose, resend, certain } = CODES[state];
  const sent = sentCode(shown, certain);
  if (!sent) throw new IdentityError("flow.not_found", { reason: "no code was sent" });
  const view = flowForm(shown);
  const text = renderCodePage({
    ...view,
    sent,
    purpose,
    resendStep: `${resend} ${sent.channel}`,
    elsewhere: otherAddresses(shown, state, sent.channel),
    otherWays: otherFirstFactors(shown),
    errors: shown.failure.errors as CodeView["errors"],
  });
  return sendFlowPage(shown, view, text);
}
