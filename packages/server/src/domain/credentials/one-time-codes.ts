import { randomInt } from "node:crypto";
import { IdentityError, type Tenant } from "@ostiary/contracts";
import { addSeconds } from "../../kernel/clock.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { newSecret } from "../../kernel/identifiers.ts";
import { networkOf } from "../../kernel/network-of.ts";
import type { LimitRule } from "../../kernel/ports.ts";
import type { Transaction } from "../../platform/database/types.ts";
import { type Deps, outsideTransaction, within } from "../deps.ts";
import { type Notification, notify } from "../notifications/index.ts";
import { findTenantById } from "../tenants/index.ts";
import { useOnce } from "../tokens/index.ts";
import { guessFactor } from "./guess-factor.ts";
import { type CodeChannel, countAttempt, putCode, selectCodeTime } from "./one-time-code.store.ts";

/** Lifetime of a code or link, in seconds. */
const CODE_SECONDS = 600;
/** Before another one may be sent for the same purpose and subject, in seconds. */
const RESEND_SECONDS = 60;
/** Wrong ones after which a code is worth nothing. */
const ATTEMPTS = 5;

/** Codes asked for one account, as it was typed: counted alike whether it exists or not. */
const ACCOUNT_LIMIT: LimitRule = { name: "code-account", points: 5, seconds: 900 };
/** From one address, whatever the accounts: many offices share one. */
const ADDRESS_LIMIT: LimitRule = { name: "code-address", points: 50, seconds: 900 };
/** To one mailbox or telephone by whatever name; beyond it nothing is sent and nobody is told. */
const TARGET_LIMIT: LimitRule = { name: "code-target", points: 10, seconds: 3_600 };

/** What a code is for, and the message that brings it. One of another purpose is not accepted. */
const MESSAGES = {
  "sign-in": "sign-in-code",
  "second-factor": "sign-in-code",
  "magic-link": "magic-link",
  recovery: "reset-code",
  unlock: "unlock-code",
  "verify-email": "verify-email",
  "verify-phone": "verify-phone",
  "backup-email": "verify-email",
  "change-email-old": "change-email-old",
  "change-email-new": "change-email-new",
  "change-phone-old": "change-phone-old",
  "change-phone-new": "change-phone-new",
} as const satisfies Record<string, Notification["template"]>;

export type CodePurpose = keyof typeof MESSAGES;

export interface CodeRequest {
  purpose: CodePurpose;
  /** Id of the flow or change that it belongs to. */
  subject: string;
  /** What was typed, or the user's id. Limits and wrong codes are counted by it; default: `userId`, else `subject`. */
  account?: string | undefined;
  /** null: nobody, or nobody yet. */
  userId: string | null;
  channel: CodeChannel;
  /** Address or number; null: nothing is sent, and no code is right. */
  to: string | null;
  /** BCP 47; null: the tenant's. */
  locale: string | null;
  /** Makes the code a secret of 256 bits and sends the address that this gives for it. */
  link?: ((secret: string) => string) | undefined;
  /** More for the message: `address`, the new one, where the old address is asked. */
  values?: Readonly<Record<string, string>> | undefined;
}

/**
 * Sends a code of six digits, or a link, that is good for ten minutes and once. It replaces the one before of the same
 * purpose and subject. Without an address the answer and the work are the same.
 *
 * @throws IdentityError `code.too_soon` within a minute of the one before, `code.too_many`; both with `retryAfter`
 */
export async function sendCode(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  request: CodeRequest,
): Promise<{ expiresAt: Date; resendAt: Date }> {
  const { purpose, subject, userId, channel, to } = request;
  const account = accountHash(deps, tenant.id, request.account ?? userId ?? subject);
  const now = deps.clock.now();
  const counters = [{ limit: ACCOUNT_LIMIT, key: account }];
  if (context.ip !== null) counters.push({ limit: ADDRESS_LIMIT, key: networkOf(context.ip) });
  await refuseTooMany(deps, counters);
  // Nobody can be right by chance where nothing was sent.
  const code = to === null || request.link ? newSecret() : randomInt(1_000_000).toString().padStart(6, "0");
  const expiresAt = addSeconds(now, CODE_SECONDS);
  const codeHash = hashCode(deps, tenant.id, purpose, subject, code);
  const row = { purpose, subject, userId, account, channel, target: to, codeHash, createdAt: now, expiresAt };
  const kept = await putCode(deps.database, tenant.id, row, addSeconds(now, -RESEND_SECONDS));
  if (!kept) throw await tooSoon(deps, tenant.id, purpose, subject);
  // Of many at once, which all saw room above, only so many are sent.
  for (const { limit, key } of counters) {
    const retryAfter = await deps.limits.consume(limit, key);
    if (retryAfter > 0) throw new IdentityError("code.too_many", { retryAfter });
  }
  // The mailbox is the same in any case of its letters.
  const wait = await deps.limits.consume(TARGET_LIMIT, `${tenant.id}:${to?.toLowerCase() ?? account}`);
  await notify(deps, context, tenant, messageOf(request, code, wait === 0 ? to : null));
  return { expiresAt, resendAt: addSeconds(now, RESEND_SECONDS) };
}

export interface ProvenTarget {
  /** Whose address it was when the code was sent. */
  userId: string | null;
  /** The address that the person has proven to read. */
  target: string;
  channel: CodeChannel;
}

/**
 * Uses up a code or the secret of a link: of two requests at once one wins. The attempt is counted outside of `tx`, so
 * it counts when `tx` is rolled back.
 *
 * @param input.code - as typed; white space and hyphens are left out.
 * @throws IdentityError `code.rejected` (wrong, expired, used, or of another purpose or subject), `code.used_up` after
 *   five wrong ones, `credential.locked`
 */
export async function checkCode(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  { purpose, subject, code }: { purpose: CodePurpose; subject: string; code: string },
): Promise<ProvenTarget> {
  const { tenantId } = context;
  const outside = outsideTransaction(deps);
  const tenant = await findTenantById(outside, tenantId);
  if (!tenant) throw new IdentityError("tenant.not_found");
  const hash = hashCode(deps, tenantId, purpose, subject, normalizedCode(code));
  const now = deps.clock.now();
  const attempt = await countAttempt(outside.database, tenantId, purpose, subject, hash, now);
  if (!attempt) throw new IdentityError("code.rejected", { reason: "none was sent" });
  const account = countedBy(deps, tenantId, attempt);
  const guess = { account, userId: attempt.userId, method: purpose };
  return guessFactor(deps, context, tenant, guess, async () => {
    if (!attempt.alive) throw new IdentityError("code.rejected", { reason: "expired" });
    if (attempt.attempts > ATTEMPTS) throw new IdentityError("code.used_up");
    if (!attempt.right) {
      throw new IdentityError(attempt.attempts === ATTEMPTS ? "code.used_up" : "code.rejected", {
        reason: "wrong code",
      });
    }
    const { userId, target, channel, createdAt, expiresAt } = attempt;
    const name = `${hash.toString("base64url")} ${createdAt.getTime()}`; // a later one may have the same digits
    const isFirst = await useOnce(within(deps, tx), tenantId, "one-time-code", name, expiresAt);
    if (!isFirst || target === null) throw new IdentityError("code.rejected", { reason: "used before" });
    return { userId, target, channel };
  });
}

function messageOf(request: CodeRequest, code: string, to: string | null): Notification {
  const { purpose, channel, locale, link } = request;
  const secret = link ? { link: link(code) } : { code };
  const values = { ...request.values, ...secret, minutes: CODE_SECONDS / 60 };
  return { template: MESSAGES[purpose], to, channel, locale, values } as Notification;
}

async function refuseTooMany(
  deps: Deps,
  counters: readonly { limit: LimitRule; key: string }[],
): Promise<void> {
  for (const { seconds } of await deps.limits.look(counters)) {
    if (seconds > 0) throw new IdentityError("code.too_many", { retryAfter: seconds });
  }
}

async function tooSoon(
  deps: Deps,
  tenantId: string,
  purpose: string,
  subject: string,
): Promise<IdentityError> {
  const before = (await selectCodeTime(deps.database, tenantId, purpose, subject)) ?? deps.clock.now();
  const left = addSeconds(before, RESEND_SECONDS).getTime() - deps.clock.now().getTime();
  return new IdentityError("code.too_soon", { retryAfter: Math.max(1, Math.ceil(left / 1000)) });
}

/**
 * What wrong codes are counted by: the person, by whichever name the codes were asked for; where that is nobody's, the
 * name. Codes of who has shown who he is have a count of their own, which others cannot use up.
 */
function countedBy(
  deps: Deps,
  tenantId: string,
  { account, userId }: { account: string; userId: string | null },
): string {
  if (userId === null) return `code:${account}`;
  const [own, asked] = codeAccounts(deps, tenantId, userId);
  return own === `code:${account}` ? own : asked;
}

/** Both counts of a person. */
export function codeAccounts(deps: Deps, tenantId: string, userId: string): [own: string, asked: string] {
  return [`code:${accountHash(deps, tenantId, userId)}`, `code-asked:${userId}`];
}

function accountHash(deps: Deps, tenantId: string, account: string): string {
  const text = `${tenantId} ${account.trim().toLowerCase()}`;
  return deps.secrets.keyedHash(text, "code-account").toString("base64url");
}

/** Digits as people type and keyboards write them; the secret of a link as it is. */
export function normalizedCode(typed: string): string {
  const text = typed.normalize("NFKC").trim();
  return /^[\d\s-]+$/.test(text) ? text.replace(/[\s-]/g, "") : text;
}

/** A code is right for its tenant, purpose and subject only. */
function hashCode(deps: Deps, tenantId: string, purpose: string, subject: string, code: string): Buffer {
  return deps.secrets.keyedHash(JSON.stringify([tenantId, purpose, subject, code]), "one-time-code");
}
