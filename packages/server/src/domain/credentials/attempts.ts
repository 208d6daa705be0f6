import { IdentityError, type Tenant } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { networkOf } from "../../kernel/network-of.ts";
import type { LimitRule } from "../../kernel/ports.ts";
import { type Deps, onePerServer } from "../deps.ts";
import { normalizedPhone } from "../identifier.ts";
import { createWorkPool, type WorkPool } from "./work-pool.ts";

/** Failed sign-ins from one address, whatever the accounts: many offices share one, so it is generous. */
const ADDRESS_LIMIT: LimitRule = { name: "sign-in-address", points: 200, seconds: 900 };

/** How often an account was locked; remembered for a week from the first time, or until it is signed in to. */
const LOCKS: LimitRule = { name: "sign-in-locks", points: Number.MAX_SAFE_INTEGER, seconds: 7 * 86_400 };

/** Checks of one account that run at a time, in one process. */
const AT_A_TIME = 4;
const MAY_WAIT = 128;

/** What is counted: something was guessed wrong. */
const WRONG: ReadonlySet<string> = new Set(["credential.rejected", "code.rejected", "code.used_up"]);

type Lockout = Tenant["settings"]["lockout"];

const poolsOf = onePerServer(() => new Map<string, WorkPool>());

/**
 * Runs the check of a password or a code under the lock-out of its account and its address. A failure is counted after the
 * check, so that many right sign-ins at once lock nobody out; therefore only a few checks of one account run at a
 * time, and each of them sees the failures before it. A guesser who sends everything at once gets at most
 * `AT_A_TIME` more guesses in each process than the setting says. Each lock is twice as long as the one before.
 *
 * @param account - `passwordAccount`, `factorAccount` or `codeAccount`: counted alike whether there is somebody or not.
 * @param onLocked - is told for how many seconds nothing is accepted any more.
 * @param check - throws `credential.rejected` for a wrong password, `code.*` for a wrong code; only these are counted.
 *   `waited`: others of the account were checked first, so what was read before may be out of date.
 * @throws IdentityError `credential.locked`, `credential.busy`, and what `check` throws
 */
export async function underLockout<T>(
  deps: Deps,
  context: RequestContext,
  tenant: Pick<Tenant, "id" | "settings">,
  account: string,
  check: (waited: boolean) => Promise<T>,
  onLocked: (seconds: number) => Promise<void>,
): Promise<T> {
  const key = accountKey(deps, tenant.id, account);
  return inTurn(deps, key, async (waited) => {
    const { rule, counted } = await refuseLocked(deps, context, tenant.settings.lockout, key);
    try {
      const result = await check(waited);
      if (counted) await Promise.all([deps.limits.reset(rule, key), deps.limits.reset(LOCKS, key)]);
      return result;
    } catch (error) {
      if (!(error instanceof IdentityError && WRONG.has(error.code))) throw error;
      await deps.limits.consume(rule, key);
      if (context.ip !== null) await deps.limits.consume(ADDRESS_LIMIT, networkOf(context.ip));
      const [state] = await deps.limits.look([{ limit: rule, key }]);
      if (state && state.seconds > 0) {
        await deps.limits.consume(LOCKS, key);
        await onLocked(state.seconds);
      }
      throw error;
    }
  });
}

/**
 * What wrong passwords are counted by: the person, by whichever name he is called; where a name is nobody's, the name,
 * in any case and a phone number with any marks between its digits, as it would be somebody's.
 */
export function passwordAccount(userId: string | undefined, identifier = ""): string {
  if (userId !== undefined) return `user:${userId}`;
  const digits = normalizedPhone(identifier);
  return `name:${/^\+?\d+$/.test(digits) ? digits : identifier.trim()}`;
}

/**
 * Forgets the failures of an account: somebody has proven otherwise that it is his.
 *
 * @param account - as `underLockout` has it.
 */
export async function forgetFailures(
  deps: Deps,
  tenant: Pick<Tenant, "id" | "settings">,
  account: string,
): Promise<void> {
  const key = accountKey(deps, tenant.id, account);
  const rule = accountRule(tenant.settings.lockout, 0);
  await Promise.all([deps.limits.reset(rule, key), deps.limits.reset(LOCKS, key)]);
}

function accountRule({ attempts, seconds, maximumSeconds }: Lockout, locks: number): LimitRule {
  const longest = Math.max(seconds, maximumSeconds);
  return { name: "sign-in-account", points: attempts, seconds: Math.min(seconds * 2 ** locks, longest) };
}

/** @returns the rule as it is for this account now, and whether anything is counted of it. */
async function refuseLocked(
  deps: Deps,
  context: RequestContext,
  lockout: Lockout,
  key: string,
): Promise<{ rule: LimitRule; counted: boolean }> {
  const wanted = [
    { limit: accountRule(lockout, 0), key },
    { limit: LOCKS, key },
  ];
  if (context.ip !== null) wanted.push({ limit: ADDRESS_LIMIT, key: networkOf(context.ip) });
  const states = await deps.limits.look(wanted);
  for (const [i, { seconds }] of states.entries()) {
    if (seconds > 0) {
      throw new IdentityError("credential.locked", {
        reason: wanted[i]?.limit.name ?? "",
        retryAfter: seconds,
      });
    }
  }
  const [failures = 0, locks = 0] = states.map(({ points }) => points);
  return { rule: accountRule(lockout, locks), counted: failures + locks > 0 };
}

/** Of bounded length whatever was typed, and no identifier of a person in the table of limits. */
function accountKey(deps: Deps, tenantId: string, account: string): string {
  const hash = deps.secrets.keyedHash(`${tenantId}:${account.trim().toLowerCase()}`, "sign-in-attempts");
  return hash.toString("base64url");
}

async function inTurn<T>(deps: Deps, key: string, task: (waited: boolean) => Promise<T>): Promise<T> {
  const pools = poolsOf(deps);
  const pool = pools.get(key) ?? createWorkPool({ concurrency: AT_A_TIME, queueLimit: MAY_WAIT });
  pools.set(key, pool);
  const waits = pool.stats().running >= AT_A_TIME;
  try {
    return await pool.run(() => task(waits));
  } finally {
    const { running, queued } = pool.stats();
    if (running + queued === 0) pools.delete(key);
  }
}
