import { IdentityError, type Tenant } from "@ostiary/contracts";
import { type RequestContext, systemContext } from "../../kernel/context.ts";
import { networkOf } from "../../kernel/network-of.ts";
import { findPrincipal } from "../access/index.ts";
import { mayUse } from "../applications/index.ts";
import { recordEvent } from "../audit/index.ts";
import { askBreached, setPassword } from "../credentials/index.ts";
import { type Deps, within } from "../deps.ts";
import { acceptInvitation, findOffer, type Offer } from "../organizations/index.ts";
import { checkOwnUsername, createUser } from "../users/index.ts";
import { type Browser, findItsApplication, proceedAs } from "./finish.ts";
import type { Flow, StepResult } from "./flow.ts";
import type { Person } from "./needs.ts";
import { INVITED, newPerson, SIGNED_UP } from "./person.ts";
import { nextState } from "./steps.ts";

export interface SignUp extends Browser {
  username?: string | undefined;
  email?: string | undefined;
  phone?: string | undefined;
  nickname?: string | undefined;
  password: string;
  /** The token of an invitation: makes an account where sign-up is closed, and takes the offer. */
  invitation?: string | undefined;
}

/** Counted per address: creating accounts is as good a door for robots as guessing passwords. */
const SIGN_UPS = { name: "sign-up", points: 30, seconds: 3_600 };

/**
 * Makes an account, and signs it in when the policy asks for nothing more: one transaction, so that nothing is left of
 * a sign-up that fails half-way. Addresses are not verified yet: `emailVerified` stays false, except for the address
 * that an invitation was sent to.
 *
 * @throws IdentityError `sign_up.closed`, `invitation.refused`, `flow.wrong_step`, `user.*_taken`, `password.*`,
 *   `request.rate_limited`, `request.invalid` without the e-mail address that the tenant wants to be confirmed
 */
export async function signUp(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  flow: Flow,
  input: SignUp,
): Promise<StepResult> {
  const offer = input.invitation === undefined ? null : await findOffer(deps, context, input.invitation);
  if (!offer && tenant.settings.signUp !== "open") throw new IdentityError("sign_up.closed");
  nextState(flow.state, "sign-up");
  if (flow.facts.boundTo)
    throw new IdentityError("flow.wrong_step", { reason: "the flow is about one person" });
  const wait = await deps.limits.consume(SIGN_UPS, `${tenant.id}:${networkOf(context.ip ?? "")}`);
  if (wait > 0) throw new IdentityError("request.rate_limited", { retryAfter: wait });
  const { username, email, phone, nickname, password, invitation } = input;
  const typed = given({ username, email, phone, nickname });
  const identifiers = offer ? withInvitedAddress(offer, typed) : typed;
  const identifier = identifiers.username ?? identifiers.email ?? identifiers.phone;
  if (!identifier) throw new IdentityError("user.identifier_required");
  if (tenant.settings.signIn.verifyEmail && !identifiers.email) {
    throw new IdentityError("request.invalid", { fields: [{ path: "/email", message: "is needed" }] });
  }
  const application = await findItsApplication(deps, tenant.id, flow);
  const asked = await askBreached(deps, tenant.id, password);
  return deps.database.transaction(async (tx) => {
    const joined = within(asked, tx);
    // The person has no rights yet; the tenant's open sign-up is what allows this.
    const allowed: RequestContext = { ...context, permissions: systemContext(tenant.id).permissions };
    const user = await createUser(joined, allowed, {
      ...identifiers,
      emailVerified: offer?.sent ?? false,
      registerSource: offer ? INVITED : SIGNED_UP,
    });
    await checkOwnUsername(joined, tenant.id, user);
    if (invitation !== undefined) {
      await acceptInvitation(joined, { ...context, actor: { type: "user", id: user.id } }, invitation);
    }
    if (application && !(await mayUse(joined, application, user.id))) {
      throw new IdentityError("application.access_denied");
    }
    await setPassword(joined, allowed, user.id, { plain: password });
    await recordEvent(deps, tx, context, { type: "user.signed_up", target: { type: "user", id: user.id } });
    const person: Person = {
      ...newPerson({ name: identifier, email: identifiers.email }),
      ...(offer?.sent ? { hasUnconfirmedEmail: false } : {}),
      // The policy may ask more of who was invited into a role.
      ...(offer ? { roles: (await findPrincipal(joined, tenant.id, user.id))?.roles ?? [] } : {}),
    };
    const proof = {
      step: "sign-up" as const,
      userId: user.id,
      identifier,
      amr: ["pwd"],
      facts: { first: "sign-up" as const, passwordGivenAt: deps.clock.now().toISOString() },
    };
    return proceedAs(deps, tx, context, { tenant, application, person }, flow, proof, input);
  });
}

/**
 * An invitation for an address makes an account with that address only; and only where the token went to the address
 * and nowhere else, as nothing else has proven whose it is.
 */
function withInvitedAddress<T extends { email?: string }>({ email, sent }: Offer, typed: T): T {
  if (email === null) return typed;
  const other = typed.email !== undefined && typed.email.toLowerCase() !== email.toLowerCase();
  if (!sent || other) throw new IdentityError("invitation.refused", { reason: "meant for another address" });
  return { ...typed, email };
}

/** Without the absent and the empty ones. */
function given<T extends Record<string, string | undefined>>(values: T): { [K in keyof T]?: string } {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value?.trim() ? [[name, value.trim()]] : [])),
  ) as { [K in keyof T]?: string };
}
