import { type BegunTotp, IdentityError, type Tenant } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import {
  beginPasskey,
  beginTotp,
  checkRecoveryCode,
  checkTotp,
  confirmTotp,
  finishPasskey,
  lockFactors,
} from "../credentials/index.ts";
import { type Deps, within } from "../deps.ts";
import { subjectOf } from "./deliver-code.ts";
import { type Browser, proceed } from "./finish.ts";
import type { Flow, StepResult } from "./flow.ts";
import { checkEnrollable, checkOffered } from "./person.ts";
import { nextState, type Step } from "./steps.ts";

/**
 * A code of an authenticator app.
 *
 * @throws IdentityError `code.rejected`, `credential.locked`, `sign_in.method_not_allowed`, and what `proceed` throws
 */
export function giveTotp(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  flow: Flow,
  input: Browser & { code: string },
): Promise<StepResult> {
  return giveOneTimeCode(deps, context, tenant, flow, { step: "give-totp", second: "totp" }, input);
}

/** One of the codes for the day when everything else is lost. @throws IdentityError as `giveTotp` */
export function giveRecoveryCode(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  flow: Flow,
  input: Browser & { code: string },
): Promise<StepResult> {
  const factor = { step: "give-recovery-code", second: "recovery_code" } as const;
  return giveOneTimeCode(deps, context, tenant, flow, factor, input);
}

const CHECKS = { totp: checkTotp, recovery_code: checkRecoveryCode };

async function giveOneTimeCode(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  flow: Flow,
  { step, second }: { step: "give-totp" | "give-recovery-code"; second: keyof typeof CHECKS },
  input: Browser & { code: string },
): Promise<StepResult> {
  const userId = whose(flow, step);
  await checkOffered(deps, tenant, flow, second);
  return deps.database.transaction(async (tx) => {
    await CHECKS[second](deps, tx, context, tenant, userId, input.code);
    const proof = { step, userId, amr: ["otp", "mfa"], facts: { second } } as const;
    return proceed(deps, tx, context, tenant, flow, proof, input);
  });
}

/** The key for an authenticator app, where one must be set up. @throws IdentityError `flow.wrong_step`, `factor.too_many` */
export async function beginEnrolTotp(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  flow: Flow,
): Promise<BegunTotp> {
  const userId = whose(flow, "enrol-totp");
  await checkEnrollable(deps, tenant, flow, "totp");
  return beginTotp(deps, context, tenant, userId);
}

/**
 * The app's first code makes it a factor, which is given with it.
 *
 * @param input.id - of what `beginEnrolTotp` made.
 * @throws IdentityError `code.rejected`, `factor.not_found`, `factor.too_many`, and what `proceed` throws
 */
export async function enrolTotp(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  flow: Flow,
  input: Browser & { id: string; code: string },
): Promise<StepResult> {
  const userId = whose(flow, "enrol-totp");
  const { id, code } = input;
  return deps.database.transaction(async (tx) => {
    await lockFactors(tx, tenant.id, userId);
    await checkEnrollable(within(deps, tx), tenant, flow, "totp");
    await confirmTotp(deps, tx, asUser(context, userId), tenant, userId, { id, code });
    const proof = { step: "enrol-totp", userId, amr: ["otp", "mfa"], facts: { second: "totp" } } as const;
    return proceed(deps, tx, context, tenant, flow, proof, input);
  });
}

/** What the page gives to `navigator.credentials.create`. @throws IdentityError as `beginEnrolTotp`, `passkey.unavailable` */
export async function beginEnrolPasskey(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  flow: Flow,
): Promise<Awaited<ReturnType<typeof beginPasskey>>> {
  const userId = whose(flow, "enrol-passkey");
  await checkEnrollable(deps, tenant, flow, "passkey");
  return beginPasskey(deps, context, tenant, userId, { subject: subjectOf(flow) });
}

/** @throws IdentityError `passkey.rejected`, `passkey.already_registered`, `factor.too_many`, and what `proceed` throws */
export async function enrolPasskey(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  flow: Flow,
  input: Browser & { response: unknown; name?: string | undefined },
): Promise<StepResult> {
  const userId = whose(flow, "enrol-passkey");
  const { response, name } = input;
  return deps.database.transaction(async (tx) => {
    await lockFactors(tx, tenant.id, userId);
    await checkEnrollable(within(deps, tx), tenant, flow, "passkey");
    const made = { subject: subjectOf(flow), response, name };
    await finishPasskey(deps, tx, asUser(context, userId), tenant, userId, made);
    const proof = {
      step: "enrol-passkey",
      userId,
      amr: ["swk", "mfa"],
      facts: { second: "passkey" },
    } as const;
    return proceed(deps, tx, context, tenant, flow, proof, input);
  });
}

/** Whose second factor it is: a first one has proven it. @throws IdentityError `flow.wrong_step` */
function whose(flow: Flow, step: Step): string {
  nextState(flow.state, step);
  if (flow.userId === null) throw new IdentityError("flow.wrong_step", { reason: "nobody is known yet" });
  return flow.userId;
}

function asUser(context: RequestContext, userId: string): RequestContext {
  return { ...context, actor: { type: "user", id: userId } };
}
