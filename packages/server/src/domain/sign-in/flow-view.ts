import type { SecondFactor, SignInFlow, SignInMethod, Tenant } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import type { Deps } from "../deps.ts";
import { methodsOf } from "../sessions/index.ts";
import { findItsApplication } from "./finish.ts";
import type { Flow } from "./flow.ts";
import { needsOfFlow } from "./person.ts";
import { type Step, stepsOf } from "./steps.ts";

/**
 * What may be done next, for a page or for an application's own form: the table's steps for the state, of which those
 * are left out that the policy does not offer. Says nothing about a person who has not shown yet who he is.
 */
export async function flowView(
  deps: Deps,
  _context: RequestContext,
  tenant: Tenant,
  flow: Flow,
): Promise<SignInFlow> {
  const { signIn } = tenant.settings;
  const application = await findItsApplication(deps, tenant.id, flow);
  const methods = isFirst(flow) ? methodsOf(tenant, application) : [];
  const asksMore = flow.state === "second-factor" || flow.state === "enrol-factor";
  const needs = asksMore ? await needsOfFlow(deps, tenant, flow) : undefined;
  const secondFactors = flow.state === "second-factor" ? [...(needs?.offered ?? [])] : [];
  const enrollable = flow.state === "enrol-factor" ? [...(needs?.enrollable ?? [])] : [];
  const hasPasswords = methodsOf(tenant, application).includes("password");
  const isOffered = (step: Step) =>
    isStepOffered(step, flow, tenant, { methods, hasPasswords, secondFactors, enrollable });
  return {
    id: flow.id,
    state: flow.state,
    applicationId: flow.applicationId,
    identifier: flow.identifier,
    steps: stepsOf(flow.state).filter(isOffered),
    methods,
    secondFactors,
    enrollable,
    recoveryChannels: [...signIn.recovery],
    sent: flow.facts.sent ?? null,
    rememberDeviceDays:
      flow.state === "second-factor" && signIn.rememberDeviceDays > 0 ? signIn.rememberDeviceDays : null,
    expiresAt: flow.expiresAt.toISOString(),
  };
}

interface Offers {
  methods: readonly SignInMethod[];
  /** Whatever the state. */
  hasPasswords: boolean;
  secondFactors: readonly SecondFactor[];
  enrollable: readonly string[];
}

/** The states in which a first factor can be given. */
function isFirst({ state }: Flow): boolean {
  return ["identifier", "password", "code", "link-sent"].includes(state);
}

function isStepOffered(step: Step, flow: Flow, { settings }: Tenant, offers: Offers): boolean {
  const has = (...wanted: string[]) =>
    wanted.some((one) => [...offers.methods, ...offers.secondFactors].includes(one as SignInMethod));
  const isSecond = flow.state === "second-factor";
  switch (step) {
    case "give-password":
      return has("password");
    case "use-passkey":
      return has("passkey");
    case "send-link":
      return has("magic_link");
    case "give-totp":
      return has("totp");
    case "give-recovery-code":
      return has("recovery_code");
    case "send-code":
      return flow.state === "verify-identifier" || has("email_code", "sms_code");
    case "give-code":
      return !isSecond || flow.facts.sent !== undefined;
    case "enrol-totp":
      return offers.enrollable.includes("totp");
    case "enrol-passkey":
      return offers.enrollable.includes("passkey");
    case "start-recovery":
    case "start-unlock":
      return settings.signIn.recovery.length > 0 && offers.hasPasswords;
    case "sign-up":
      return settings.signUp === "open" && flow.facts.boundTo === undefined;
    case "change-identifier":
      return flow.facts.boundTo === undefined;
    default:
      return true;
  }
}
