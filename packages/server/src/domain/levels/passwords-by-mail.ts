import { IdentityError, type Tenant } from "@ostiary/contracts";
import { type RequestContext, systemContext } from "../../kernel/context.ts";
import { newSecret } from "../../kernel/identifiers.ts";
import { networkOf } from "../../kernel/network-of.ts";
import type { LimitRule } from "../../kernel/ports.ts";
import { recordEvent } from "../audit/index.ts";
import {
  checkCode,
  createPasswordLink,
  redeemPasswordLink,
  replacePassword,
  sendCode,
  setPassword,
} from "../credentials/index.ts";
import { type Deps, within } from "../deps.ts";
import { notify } from "../notifications/index.ts";
import { checkMailboxIsEnough, isMailboxEnough } from "../sign-in/index.ts";
import { issuerOf } from "../tenants/index.ts";
import { findPerson, type Person } from "./people.ts";

const WELCOME_DAYS = 7;
const RESET_MINUTES = 30;

const PER_ADDRESS: LimitRule = { name: "password-request-mailbox", points: 5, seconds: 3_600 };
const PER_CLIENT: LimitRule = { name: "password-request-client", points: 50, seconds: 3_600 };

/** Whether a forgotten password can be replaced by mail at all. */
const isByMail = ({ settings }: Tenant) => settings.signIn.recovery.includes("email");

/** Where a link leads. */
export type LinkOf = (secret: string) => string;

/**
 * Tells a new user by mail how to get a password: by a link; where the tenant's `dangerMailPasswords` says so, the
 * password itself.
 */
export async function welcomePerson(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  person: Person,
  linkOf: LinkOf,
): Promise<void> {
  if (person.email === null) return;
  const where = { channel: "email", to: person.email, locale: localeOf(tenant, person) } as const;
  if (tenant.settings.zibanu.dangerMailPasswords) {
    const values = { password: await replaceByRandom(deps, context, tenant, person) };
    return notify(deps, context, tenant, { ...where, template: "new-password", values });
  }
  const secret = await createPasswordLink(deps, tenant.id, person.id, WELCOME_DAYS * 86_400);
  const username = person.username ?? person.email;
  const values = { username, link: linkOf(secret), days: WELCOME_DAYS };
  return notify(deps, context, tenant, { ...where, template: "welcome", values });
}

/**
 * Somebody has forgotten a password. The mailbox gets a link, and until that is used nothing changes; where the tenant's
 * `dangerMailPasswords` says so, it gets a new password that counts at once. An address that is nobody's has the same
 * answer after the same time, unless `dangerTellUnknownEmail` says otherwise. For who has a second factor and would be
 * asked for it the link leads to the hosted page, which asks.
 *
 * @throws IdentityError `request.rate_limited`; `user.not_found` where the tenant tells
 */
export async function requestPassword(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  email: string,
  linkOf: LinkOf,
): Promise<void> {
  const mailbox = deps.secrets
    .keyedHash(`${tenant.id}:${email.trim().toLowerCase()}`, "password-request")
    .toString("base64url");
  for (const [rule, key] of [
    [PER_ADDRESS, mailbox],
    [PER_CLIENT, `${tenant.id}:${networkOf(context.ip ?? "")}`],
  ] as const) {
    const wait = await deps.limits.consume(rule, key);
    if (wait > 0) throw new IdentityError("request.rate_limited", { retryAfter: wait });
  }
  const person = await findPerson(deps, tenant, { email });
  if (person?.status !== "active") {
    if (tenant.settings.zibanu.dangerTellUnknownEmail) throw new IdentityError("user.not_found");
    return;
  }
  if (!isByMail(tenant)) return;
  // Not waited for: what it takes would tell who is there.
  sendPassword(deps, context, tenant, person, linkOf).catch((error: unknown) =>
    deps.log.warn({ err: error, tenantId: tenant.id }, "a requested password could not be sent"),
  );
}

async function sendPassword(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  person: Person,
  linkOf: LinkOf,
): Promise<void> {
  await deps.database.transaction((tx) =>
    recordEvent(deps, tx, context, {
      type: "password.requested",
      target: { type: "user", id: person.id },
    }),
  );
  const where = { channel: "email", to: person.email, locale: localeOf(tenant, person) } as const;
  const isEnough = await isMailboxEnough(deps, tenant, person.id);
  if (isEnough && tenant.settings.zibanu.dangerMailPasswords) {
    const values = { password: await replaceByRandom(deps, context, tenant, person) };
    return notify(deps, context, tenant, { ...where, template: "new-password", values });
  }
  const link = isEnough
    ? linkOf(await createPasswordLink(deps, tenant.id, person.id, RESET_MINUTES * 60))
    : `${issuerOf(deps, tenant)}/recover`;
  const values = { link, minutes: RESET_MINUTES };
  return notify(deps, context, tenant, { ...where, template: "reset-link", values });
}

/**
 * The first of two steps of the newer release: a code to the mailbox. An address that is nobody's has the same answer
 * after the same work.
 *
 * @throws IdentityError what `sendCode` throws
 */
export async function requestPasswordCode(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  email: string,
): Promise<void> {
  const found = await findPerson(deps, tenant, { email });
  const person = found?.status === "active" && isByMail(tenant) ? found : null;
  await sendCode(deps, context, tenant, {
    purpose: "recovery",
    subject: subjectOf(email),
    account: email,
    userId: person?.id ?? null,
    channel: "email",
    to: person?.email ?? null,
    locale: person && localeOf(tenant, person),
  });
}

/**
 * The second step: with the code comes a new password, or the mailbox gets what `requestPassword` sends.
 *
 * @throws IdentityError `code.rejected`, `code.used_up`, `credential.locked`, `password.*`,
 *   `credential.second_factor_required` with a new password, for who would be asked for a second factor he has
 */
export async function redeemPasswordCode(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  input: { email: string; code: string; password?: string | undefined },
  linkOf: LinkOf,
): Promise<void> {
  const { email, code, password } = input;
  const person = await findPerson(deps, tenant, { email });
  await deps.database.transaction(async (tx) => {
    const proof = { purpose: "recovery", subject: subjectOf(email), code } as const;
    const { userId } = await checkCode(deps, tx, context, proof);
    if (userId === null || userId !== person?.id) throw new IdentityError("code.rejected");
    if (password === undefined) return;
    await checkMailboxIsEnough(within(deps, tx), tenant, userId);
    const who: RequestContext = { ...context, actor: { type: "user", id: userId } };
    await replacePassword(within(deps, tx), who, userId, password);
  });
  if (person && password === undefined) await sendPassword(deps, context, tenant, person, linkOf);
}

/**
 * The link that was mailed, and the password that was chosen.
 *
 * @throws IdentityError `password_link.invalid`, `credential.second_factor_required`, and what `replacePassword` throws
 */
export function redeemMailedLink(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  secret: string,
  password: string,
): Promise<void> {
  return redeemPasswordLink(deps, context, secret, password, (joined, userId) =>
    checkMailboxIsEnough(joined, tenant, userId),
  );
}

const subjectOf = (email: string) => `zibanu:${email.trim().toLowerCase()}`.slice(0, 300);

async function replaceByRandom(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  person: Person,
): Promise<string> {
  const password = randomPassword(tenant);
  await deps.database.transaction((tx) =>
    setPassword(within(deps, tx), systemContext(tenant.id, context.traceId), person.id, { plain: password }),
  );
  return password;
}

const KINDS = [/[a-z]/, /[A-Z]/, /[0-9]/, /[-_]/];

/** As long as the policy wants and at least 16 characters, of all kinds that somebody may ask for. */
function randomPassword(tenant: Tenant): string {
  const bytes = Math.max(12, tenant.settings.passwordPolicy.minLength);
  for (;;) {
    const password = newSecret(bytes);
    if (KINDS.every((kind) => kind.test(password))) return password;
  }
}

function localeOf(tenant: Tenant, { preferences }: Person): string | null {
  const { language } = tenant.settings.zibanu;
  return language === "automatic" ? (preferences.language ?? null) : language;
}
