import { IdentityError } from "@ostiary/contracts";
import type { FastifyRequest } from "fastify";
import type { Deps } from "../domain/deps.ts";
import {
  type Browser,
  changeIdentifier,
  enrolPasskey,
  enrolTotp,
  type Flow,
  giveCode,
  giveIdentifier,
  givePassword,
  giveRecoveryCode,
  giveTotp,
  openLink,
  STEPS as STEPS_OF,
  type StepResult,
  sendCode,
  sendLink,
  startRecovery,
  startUnlock,
  usePasskey,
} from "../domain/sign-in/index.ts";
import { readOwnCookie } from "../platform/http/cookies.ts";
import { factorName, parseJson } from "./factor-input.ts";
import { formOf } from "./respond.ts";
import { findSignedIn } from "./session.ts";

type Form = Partial<Record<string, string>>;

/** What follows the name of a step in the posted `step`: where a message shall go. */
type Way = "email" | "backup_email" | "sms";

type Take = (
  deps: Deps,
  request: FastifyRequest,
  flow: Flow,
  input: { form: Form; browser: Browser; way: Way | undefined },
) => Promise<StepResult>;

/** Steps that a form names. Whether one may be taken says the table of `domain/sign-in`. */
const STEPS: Record<string, Take> = {
  "send-code": (deps, { context, tenant }, flow, { form, way }) =>
    sendCode(deps, context, tenant, flow, {
      identifier: form.identifier,
      channel: way === "sms" ? "sms" : "email",
    }),
  "send-link": (deps, { context, tenant }, flow, { form }) =>
    sendLink(deps, context, tenant, flow, { identifier: form.identifier }),
  "start-recovery": (deps, { context, tenant }, flow, { form, way }) =>
    startRecovery(deps, context, tenant, flow, { identifier: form.identifier, way }),
  "start-unlock": (deps, { context, tenant }, flow, { form, way }) =>
    startUnlock(deps, context, tenant, flow, { identifier: form.identifier, way }),
  "give-code": (deps, { context, tenant }, flow, { form, browser }) =>
    giveCode(deps, context, tenant, flow, { ...browser, code: required(form, "code") }),
  "open-link": (deps, { context, tenant }, flow, { form, browser }) =>
    openLink(deps, context, tenant, flow, { ...browser, secret: form.secret ?? "" }),
  "use-passkey": (deps, { context, tenant }, flow, { form, browser }) =>
    usePasskey(deps, context, tenant, flow, { ...browser, response: parseJson(form.passkey) }),
  "give-totp": (deps, { context, tenant }, flow, { form, browser }) =>
    giveTotp(deps, context, tenant, flow, { ...browser, code: required(form, "code") }),
  "give-recovery-code": (deps, { context, tenant }, flow, { form, browser }) =>
    giveRecoveryCode(deps, context, tenant, flow, { ...browser, code: required(form, "code") }),
  "enrol-totp": (deps, { context, tenant }, flow, { form, browser }) =>
    enrolTotp(deps, context, tenant, flow, { ...browser, id: form.id ?? "", code: required(form, "code") }),
  "enrol-passkey": (deps, { context, tenant }, flow, { form, browser }) =>
    enrolPasskey(deps, context, tenant, flow, {
      ...browser,
      response: parseJson(form.passkey),
      name: factorName(form.name),
    }),
};

/** The step that the form names; without a name its fields say which it is. */
export async function takeStep(deps: Deps, request: FastifyRequest, found: Flow): Promise<StepResult> {
  const form = formOf(request);
  const browser = await browserOf(deps, request);
  const flow = await forWhoeverWasTyped(deps, request, found);
  if (form.step === undefined) return takeFirstStep(deps, request, flow, browser);
  const [name = "", way] = form.step.split(" ");
  const take = Object.hasOwn(STEPS, name) ? STEPS[name] : undefined;
  if (!take) throw new IdentityError("flow.wrong_step", { reason: "no such step" });
  return take(deps, request, flow, { form, browser, way: isWay(way) ? way : undefined });
}

/** What the domain wants to know about the browser of the request. */
export async function browserOf(deps: Deps, request: FastifyRequest): Promise<Browser> {
  const previous = await findSignedIn(deps, request);
  return {
    previousSessionId: previous?.session.id,
    device: readOwnCookie(deps, request, "device"),
    remember: formOf(request).remember === "1",
  };
}

/** Back to an earlier page, and another identifier: the flow begins anew for that one. */
async function forWhoeverWasTyped(
  deps: Deps,
  { context, tenant, body }: FastifyRequest,
  flow: Flow,
): Promise<Flow> {
  const { identifier } = (body ?? {}) as Form;
  const isOther = identifier?.trim() && flow.identifier !== null && identifier.trim() !== flow.identifier;
  const isStale = flow.state !== "password" && "change-identifier" in STEPS_OF[flow.state];
  if (!isOther || !isStale) return flow;
  return (await changeIdentifier(deps, context, tenant, flow)).flow;
}

/** Identifier, password, or both. */
async function takeFirstStep(
  deps: Deps,
  request: FastifyRequest,
  flow: Flow,
  browser: Browser,
): Promise<StepResult> {
  const { context, tenant } = request;
  const { identifier, password } = formOf(request);
  if (password) return givePassword(deps, context, tenant, flow, { ...browser, identifier, password });
  const asksBoth = tenant.settings.signInForm === "together";
  const isStalePage = flow.state === "password" && password === undefined;
  if (!identifier?.trim() || (flow.state === "password" && !isStalePage) || (asksBoth && !isStalePage)) {
    throw new IdentityError("request.invalid", { reason: "identifier or password is missing" });
  }
  // Back to the first page, which asks for no password.
  const first = isStalePage ? (await changeIdentifier(deps, context, tenant, flow)).flow : flow;
  return giveIdentifier(deps, context, tenant, first, { identifier });
}

function required(form: Form, name: "code"): string {
  const value = form[name]?.trim();
  if (!value)
    throw new IdentityError("request.invalid", { fields: [{ path: `/${name}`, message: "is needed" }] });
  return value;
}

function isWay(text: string | undefined): text is Way {
  return text === "email" || text === "backup_email" || text === "sms";
}
