import type { FastifyReply } from "fastify";
import { deviceName } from "../domain/sessions/index.ts";
import { beginEnrolPasskey, beginEnrolTotp, passkeyOptions } from "../domain/sign-in/index.ts";
import { renderEnrolChoicePage, renderNewPasskeyPage, renderTotpPage } from "./enrol.page.ts";
import { isTotpUri } from "./factor-input.ts";
import type { NewPasskeyView, SecondFactorView } from "./factor-views.ts";
import { formOf } from "./respond.ts";
import { renderSecondFactorPage } from "./second-factor.page.ts";
import { askedFor, flowForm, otherIdentifierUrl, type Shown, sendFlowPage, sentCode } from "./shown-flow.ts";

type Answer = Promise<FastifyReply>;

/** The second proof: the way that was asked for, else the one a message was sent for, else the first that is offered. */
export async function showSecondFactor(shown: Shown): Answer {
  const { deps, request, page, may, path, failure } = shown;
  const { secondFactors } = may;
  const asked = askedFor(request);
  const sentFor = may.sent && (may.sent.channel === "email" ? "email_code" : "sms_code");
  const factor =
    secondFactors.find((one) => one === asked) ??
    secondFactors.find((one) => one === sentFor) ??
    secondFactors[0] ??
    "recovery_code";
  const view = flowForm(shown, { method: factor });
  const text = renderSecondFactorPage({
    ...view,
    factor,
    passkey:
      factor === "passkey"
        ? await passkeyOptions(deps, request.context, request.tenant, page.flow)
        : undefined,
    sent: factor === sentFor ? sentCode(shown, true) : undefined,
    rememberDays: may.rememberDeviceDays ?? undefined,
    otherWays: {
      ways: secondFactors
        .filter((one) => one !== factor)
        .map((one) => ({ factor: one, url: `${path}?flow=${may.id}&method=${one}` })),
      otherIdentifierUrl: otherIdentifierUrl(shown),
    },
    errors: failure.errors as SecondFactorView["errors"],
  });
  return sendFlowPage(shown, view, text);
}

/** A second factor is demanded and there is none: which one, and then it is set up. */
export async function showEnrolment(shown: Shown): Answer {
  const { request, may, path } = shown;
  const choice = `${path}?flow=${may.id}`;
  const asked = askedFor(request);
  const [only, ...more] = may.enrollable;
  const factor = may.enrollable.find((one) => one === asked) ?? (more.length === 0 ? only : undefined);
  const choiceUrl = more.length > 0 ? choice : undefined;
  if (factor === "totp") return showTotp(shown, choiceUrl);
  if (factor === "passkey") return showPasskey(shown, choiceUrl);
  const view = flowForm(shown);
  const ways = [...may.enrollable].sort().map((one) => ({ factor: one, url: `${choice}&method=${one}` }));
  return sendFlowPage(shown, view, renderEnrolChoicePage({ ...view, ways }));
}

async function showTotp(shown: Shown, choiceUrl: string | undefined): Answer {
  const { deps, request, page, failure } = shown;
  const view = flowForm(shown, { method: "totp" });
  const { id = "", uri = "" } = formOf(request);
  // After a wrong code the key that was scanned is shown again.
  const begun =
    failure.errors?.code !== undefined && isTotpUri(uri)
      ? { id, uri }
      : await beginEnrolTotp(deps, request.context, request.tenant, page.flow);
  const text = renderTotpPage({ ...view, id: begun.id, uri: begun.uri, choiceUrl, errors: failure.errors });
  return sendFlowPage(shown, view, text);
}

async function showPasskey(shown: Shown, choiceUrl: string | undefined): Answer {
  const { deps, request, page, failure } = shown;
  const view = flowForm(shown, { method: "passkey" });
  const text = renderNewPasskeyPage({
    ...view,
    passkey: await beginEnrolPasskey(deps, request.context, request.tenant, page.flow),
    keep: { method: "passkey" },
    name: formOf(request).name ?? deviceName(request.context.userAgent),
    choiceUrl,
    errors: failure.errors as NewPasskeyView["errors"],
  });
  return sendFlowPage(shown, view, text);
}
