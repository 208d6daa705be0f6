import { IdentityError, type SignInMethod, type Tenant } from "@ostiary/contracts";
import { type RequestContext, systemContext } from "../../kernel/context.ts";
import type { Transaction } from "../../platform/database/types.ts";
import { recordEvent } from "../audit/index.ts";
import {
  addressesOfUser,
  type CodePurpose,
  checkCode,
  forgetFailures,
  passwordAccount,
} from "../credentials/index.ts";
import { type Deps, within } from "../deps.ts";
import { findUser, updateUser } from "../users/index.ts";
import { isUnentered, subjectOf } from "./deliver-code.ts";
import { type Browser, findItsApplication, type Proof, proceed } from "./finish.ts";
import type { Channel, Flow, StepResult } from "./flow.ts";
import { checkMethod } from "./methods.ts";
import { move } from "./move.ts";
import { checkOffered } from "./person.ts";
import { nextState } from "./steps.ts";

/** A code or link that was right. */
interface Read {
  userId: string;
  target: string;
  channel: Channel;
}

const METHOD = { email: "email_code", sms: "sms_code" } as const;
/** RFC 8176 has a word for text messages and none for mail. */
const AMR = { email: ["otp"], sms: ["sms"] };

/**
 * The code that was sent last, whatever it is for in the flow's state. Five wrong ones end it.
 *
 * @throws IdentityError `code.rejected`, `code.used_up`, `credential.locked`, and what `proceed` throws
 */
export async function giveCode(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  flow: Flow,
  input: Browser & { code: string },
): Promise<StepResult> {
  nextState(flow.state, "give-code");
  const { code } = input;
  const step = "give-code" as const;
  const use = (purpose: CodePurpose, then: (tx: Transaction, read: Read) => Promise<StepResult>) =>
    readCode(deps, context, flow, { purpose, code }, then);
  const go = (tx: Transaction, proof: Proof) => proceed(deps, tx, context, tenant, flow, proof, input);
  switch (flow.state) {
    case "second-factor":
      return use("second-factor", async (tx, { userId, channel }) => {
        const second = METHOD[channel];
        await checkOffered(deps, tenant, flow, second);
        return go(tx, { step, userId, amr: [...AMR[channel], "mfa"], facts: { second } });
      });
    case "verify-identifier":
      return use("verify-email", async (tx, { userId, target }) => {
        await confirmEmail(within(deps, tx), tenant.id, userId, target);
        return go(tx, { step, userId, amr: [], person: { hasUnconfirmedEmail: false } });
      });
    case "recovery":
      return use("recovery", async (tx, { userId, target, channel }) => {
        checkMethod(tenant, await findItsApplication(deps, tenant.id, flow), "password");
        // A mailbox alone is not enough in a browser that was remembered when it was another's.
        const facts = {
          first: "recovery",
          channel,
          address: target,
          passwordGivenAt: deps.clock.now().toISOString(),
          newPassword: true,
          deviceRemembered: false,
        } as const;
        const user = await findUser(within(deps, tx), tenant.id, userId);
        const isProof = user !== null && isUnentered(user) && user.email === target;
        if (isProof) await confirmEmail(within(deps, tx), tenant.id, userId, target);
        const person = isProof ? { hasUnconfirmedEmail: false } : {};
        return go(tx, { step, userId, amr: AMR[channel], facts, person });
      });
    case "unlock":
      return unlock(deps, context, tenant, flow, use);
    default:
      return use("sign-in", (tx, read) =>
        beginWith(deps, tenant, flow, METHOD[read.channel], read, (proof) => go(tx, { step, ...proof })),
      );
  }
}

/**
 * The link that was sent, opened in the browser that asked for it and confirmed there.
 *
 * @throws IdentityError as `giveCode`
 */
export async function openLink(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  flow: Flow,
  input: Browser & { secret: string },
): Promise<StepResult> {
  nextState(flow.state, "open-link");
  const given = { purpose: "magic-link" as const, code: input.secret };
  return readCode(deps, context, flow, given, (tx, read) =>
    beginWith(deps, tenant, flow, "magic_link", read, (proof) =>
      proceed(deps, tx, context, tenant, flow, { step: "open-link", ...proof }, input),
    ),
  );
}

/** Uses the code up, in the transaction of what follows from it. */
function readCode(
  deps: Deps,
  context: RequestContext,
  flow: Flow,
  { purpose, code }: { purpose: CodePurpose; code: string },
  then: (tx: Transaction, read: Read) => Promise<StepResult>,
): Promise<StepResult> {
  return deps.database.transaction(async (tx) => {
    const subject = subjectOf(flow);
    const { userId, target, channel } = await checkCode(deps, tx, context, { purpose, subject, code });
    if (userId === null || (flow.userId !== null && flow.userId !== userId)) {
      throw new IdentityError("code.rejected", { reason: "somebody else's" });
    }
    await checkStillHis(deps, tx, context.tenantId, purpose, { userId, target, channel });
    return then(tx, { userId, target, channel });
  });
}

/** The address may have been taken from the account since the code went there. */
async function checkStillHis(
  deps: Deps,
  tx: Transaction,
  tenantId: string,
  purpose: CodePurpose,
  { userId, target }: Read,
): Promise<void> {
  if (purpose === "verify-email") return; // asked where it is confirmed
  const joined = within(deps, tx);
  const { email, backupEmail, phone } = await addressesOfUser(joined, tenantId, userId);
  const user = purpose === "recovery" ? await findUser(joined, tenantId, userId) : null;
  const typed = user && isUnentered(user) ? user.email : null;
  if (![email, backupEmail, phone, typed].includes(target)) {
    throw new IdentityError("code.rejected", { reason: "no longer the address of the account" });
  }
}

/** As first factor. */
async function beginWith(
  deps: Deps,
  tenant: Tenant,
  flow: Flow,
  method: SignInMethod,
  { userId, channel, target }: Read,
  go: (proof: Omit<Proof, "step">) => Promise<StepResult>,
): Promise<StepResult> {
  checkMethod(tenant, await findItsApplication(deps, tenant.id, flow), method);
  return go({ userId, amr: AMR[channel], facts: { first: method, channel, address: target } });
}

/** Ends the lock-out. Nothing else was proven by it: the password is asked for again. */
async function unlock(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  flow: Flow,
  use: (
    purpose: CodePurpose,
    then: (tx: Transaction, read: Read) => Promise<StepResult>,
  ) => Promise<StepResult>,
): Promise<StepResult> {
  const state = nextState(flow.state, "give-code");
  const { sent: _used, ...facts } = flow.facts;
  let unlocked = "";
  const result = await use("unlock", async (tx, { userId }) => {
    const target = { type: "user", id: userId };
    await recordEvent(deps, tx, context, { type: "user.unlocked", target });
    unlocked = userId;
    return { flow: await move(tx, context, flow, { state, facts }) };
  });
  await forgetFailures(deps, tenant, passwordAccount(unlocked));
  return result;
}

/** @throws IdentityError `code.rejected` when the account has got another address meanwhile */
async function confirmEmail(joined: Deps, tenantId: string, userId: string, address: string): Promise<void> {
  const user = await findUser(joined, tenantId, userId);
  if (user?.email !== address) throw new IdentityError("code.rejected", { reason: "another address by now" });
  // The person has no right to say so himself; the code is what allows it.
  await updateUser(joined, systemContext(tenantId), userId, { emailVerified: true }, user.version);
}
