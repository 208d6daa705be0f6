import { IdentityError, type Tenant } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { addressesOfUser } from "../credentials/index.ts";
import type { Deps } from "../deps.ts";
import { type Addressee, deliverCode, findAddressee, findUnconfirmed, type Way } from "./deliver-code.ts";
import { findItsApplication } from "./finish.ts";
import type { Channel, Flow, StepResult } from "./flow.ts";
import { checkMethod } from "./methods.ts";
import { move } from "./move.ts";
import { checkOffered } from "./person.ts";
import { nextState } from "./steps.ts";

export interface IdentifierStep {
  /** Only in state `identifier`; later the flow's own counts. */
  identifier?: string | undefined;
}

interface RescueStep extends IdentifierStep {
  /** Default: the first one that the tenant allows. */
  way?: Way | undefined;
}

const METHOD = { email: "email_code", sms: "sms_code" } as const;

/**
 * Sends a code, or sends it again: as first factor, as second factor, or to confirm the address of a sign-up.
 *
 * @throws IdentityError `flow.wrong_step`, `flow.not_found`, `sign_in.method_not_allowed`, `request.invalid` without an
 *   identifier, `code.too_soon`, `code.too_many`
 */
export async function sendCode(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  flow: Flow,
  input: IdentifierStep & { channel: Channel },
): Promise<StepResult> {
  const state = nextState(flow.state, "send-code");
  const { channel } = input;
  if (flow.state === "second-factor" || flow.state === "verify-identifier") {
    const { userId } = flow;
    if (userId === null) throw new IdentityError("flow.not_found");
    const isSecond = flow.state === "second-factor";
    if (isSecond) await checkOffered(deps, tenant, flow, METHOD[channel]);
    const addressee = isSecond
      ? await addresseeOf(deps, tenant.id, userId, channel)
      : await findUnconfirmed(deps, tenant.id, userId);
    const purpose = isSecond ? "second-factor" : "verify-email";
    const delivery = { purpose, channel: isSecond ? channel : "email", addressee, isKnown: true } as const;
    const sent = await deliverCode(deps, context, tenant, flow, delivery);
    return { flow: await move(deps.database, context, flow, { state, facts: { ...flow.facts, sent } }) };
  }
  checkMethod(tenant, await findItsApplication(deps, tenant.id, flow), METHOD[channel]);
  return sendTo(deps, context, tenant, flow, { purpose: "sign-in", state, way: channel, ...input });
}

/**
 * Sends a link that is good in this browser only, as first factor. It leads to `/sign-in/link` with the flow's id and
 * the secret; opening that page must not use it up, as mail scanners open links too.
 *
 * @throws IdentityError as `sendCode`
 */
export async function sendLink(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  flow: Flow,
  input: IdentifierStep,
): Promise<StepResult> {
  const state = nextState(flow.state, "send-link");
  checkMethod(tenant, await findItsApplication(deps, tenant.id, flow), "magic_link");
  const base = deps.publicUrl + (tenant.slug === "default" ? "" : `/t/${tenant.slug}`);
  const link = (secret: string) => `${base}/sign-in/link?flow=${flow.id}&secret=${secret}`;
  return sendTo(deps, context, tenant, flow, { purpose: "magic-link", state, way: "email", link, ...input });
}

/**
 * The password is forgotten: sends a code to a verified address, by mail unless something else is asked for. Whoever
 * proves to read it chooses a new password, after the second factor where there is one.
 *
 * @throws IdentityError as `sendCode`
 */
export function startRecovery(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  flow: Flow,
  input: RescueStep,
): Promise<StepResult> {
  return rescue(deps, context, tenant, flow, "recovery", input);
}

/**
 * Too many wrong passwords were given, perhaps by somebody else: whoever reads the account's mail ends the lock-out.
 *
 * @throws IdentityError as `sendCode`
 */
export function startUnlock(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  flow: Flow,
  input: RescueStep,
): Promise<StepResult> {
  return rescue(deps, context, tenant, flow, "unlock", input);
}

/** A code for who cannot give the password, where one could. */
async function rescue(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  flow: Flow,
  purpose: "recovery" | "unlock",
  input: RescueStep,
): Promise<StepResult> {
  const state = nextState(flow.state, `start-${purpose}`);
  checkMethod(tenant, await findItsApplication(deps, tenant.id, flow), "password");
  const way = checkedWay(tenant, input.way);
  return sendTo(deps, context, tenant, flow, { purpose, state, ...input, way });
}

/** @throws IdentityError `sign_in.method_not_allowed` */
function checkedWay({ settings: { signIn } }: Tenant, wanted: Way | undefined): Way {
  const way = wanted ?? signIn.recovery[0];
  const channel = way === "backup_email" ? "email" : way;
  if (!way || !channel || !signIn.recovery.includes(channel)) {
    throw new IdentityError("sign_in.method_not_allowed");
  }
  return way;
}

interface FirstCode extends IdentifierStep {
  purpose: "sign-in" | "magic-link" | "recovery" | "unlock";
  state: Flow["state"];
  way: Way;
  link?: (secret: string) => string;
}

/** To whom an identifier means, if anybody: the state, the answer and the work are the same. */
async function sendTo(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  flow: Flow,
  { purpose, state, way, link, identifier: typed }: FirstCode,
): Promise<StepResult> {
  const identifier = (flow.state === "identifier" ? typed?.trim() : flow.identifier) || undefined;
  if (identifier === undefined) {
    throw new IdentityError("request.invalid", { fields: [{ path: "/identifier", message: "is needed" }] });
  }
  const addressee = await findAddressee(deps, tenant.id, identifier, way, purpose);
  const channel: Channel = way === "sms" ? "sms" : "email";
  const delivery = { purpose, channel, addressee, account: identifier, isKnown: false, link };
  const sent = await deliverCode(deps, context, tenant, flow, delivery);
  const facts = { ...flow.facts, sent };
  return { flow: await move(deps.database, context, flow, { state, identifier, facts }) };
}

async function addresseeOf(
  deps: Deps,
  tenantId: string,
  userId: string,
  channel: Channel,
): Promise<Addressee> {
  const { email, phone, locale } = await addressesOfUser(deps, tenantId, userId);
  return { userId, to: channel === "email" ? email : phone, locale };
}
