import type { ErrorCode, SignInFlow } from "@ostiary/contracts";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Deps } from "../domain/deps.ts";
import type { SentCode } from "./factor-views.ts";
import type { FlowPage } from "./flow-page.ts";
import { formOf, pageView, queryText, sendPage } from "./respond.ts";
import type { FormErrors, PageView } from "./views.ts";

export interface Failure {
  errors?: FormErrors<string> | undefined;
  status?: number | undefined;
  code?: ErrorCode | undefined;
}

/** One page of a flow under way: what the domain says may be done, and what every page of it needs. */
export interface Shown {
  deps: Deps;
  request: FastifyRequest;
  reply: FastifyReply;
  page: FlowPage;
  may: SignInFlow;
  /** Address of the page that shows the flow, whatever its state. */
  path: string;
  failure: Failure;
}

/** Which of several ways the person has chosen; the posted form names its own. */
export function askedFor(request: FastifyRequest): string | undefined {
  return formOf(request).method ?? queryText(request, "method");
}

/** What every page of a flow needs. @param query - what its address must keep, beside the flow. */
export function flowForm(
  { deps, request, reply, page, path, failure }: Shown,
  query: Record<string, string> = {},
): PageView & { action: string; csrf: string; flow: string; errors: FormErrors<never> | undefined } {
  const { id } = page.flow;
  const view = pageView(deps, request, reply, { path, query: { flow: id, ...query } });
  return { ...view, action: path, csrf: page.csrf, flow: id, errors: failure.errors };
}

export function sendFlowPage(
  { deps, reply, page, failure }: Shown,
  view: PageView,
  text: string,
): FastifyReply {
  return sendPage(deps, reply, view.nonce, text, {
    status: failure.status ?? 200,
    formTargets: page.formTargets,
  });
}

/** Where to be someone else, if the flow may. */
export function otherIdentifierUrl({ may, path }: Shown): string | undefined {
  return may.steps.includes("change-identifier") ? `${path}?flow=${may.id}&change=1` : undefined;
}

export function sentCode({ deps, may }: Shown, certain: boolean): SentCode | undefined {
  const { sent, identifier } = may;
  if (!sent) return undefined;
  const { channel, to } = sent;
  const seconds = (Date.parse(sent.resendAt) - deps.clock.now().getTime()) / 1_000;
  // What was typed may be shown to who typed it; where it leads may not.
  const target = to ?? (channel === "email" && identifier?.includes("@") ? identifier : undefined);
  return { channel, target, certain, resendSeconds: seconds };
}
