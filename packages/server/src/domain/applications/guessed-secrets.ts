import { IdentityError } from "@ostiary/contracts";
import { networkOf } from "../../kernel/network-of.ts";
import type { LimitRule } from "../../kernel/ports.ts";
import { type Deps, onePerServer } from "../deps.ts";
import type { Application } from "./application.store.ts";
import { checkClientSecret } from "./application-secrets.ts";

/** Wrong secrets that one address gives for one application; a service with an old secret tries again and again. */
const CLIENT_LIMIT: LimitRule = { name: "client-secret", points: 100, seconds: 900 };
/** And for all applications together. */
const ADDRESS_LIMIT: LimitRule = { name: "client-secret-address", points: 500, seconds: 900 };
/** Blocks that one process remembers; the oldest go first. */
const CAPACITY = 10_000;

/** Until when (milliseconds since 1970) an address may try no more; by name of rule and key. */
const blocksOf = onePerServer(() => new Map<string, number>());

const keysOf = (tenantId: string, clientId: string, ip: string) =>
  [
    [CLIENT_LIMIT, `${tenantId}:${clientId}:${networkOf(ip)}`],
    [ADDRESS_LIMIT, networkOf(ip)],
  ] as const;

/**
 * Whether a caller has the secret of the application that it says to be; null: there is none. Wrong ones are counted
 * for `clientId` as it was said, whether it exists or not.
 *
 * @throws IdentityError `request.rate_limited`
 */
export function provesToBe(
  deps: Deps,
  caller: { tenantId: string; ip: string | null },
  clientId: string,
  application: Application | null,
  secret: string,
): application is Application {
  if (secret === "") return false; // nobody guesses that
  return underGuessLimit(
    deps,
    caller,
    clientId,
    () => application !== null && checkClientSecret(deps, application, secret),
  );
}

/**
 * Wrong client secrets are counted by address, never for an application alone: whoever knows its id could lock it out.
 * Right ones cost nothing: a process remembers which addresses are blocked, and learns it from the shared count when an
 * address fails there. So `N` processes give a guesser at most `N - 1` more guesses.
 *
 * @param check - whether the secret is right; not asked while the address is blocked.
 * @throws IdentityError `request.rate_limited`
 */
function underGuessLimit(
  deps: Deps,
  { tenantId, ip }: { tenantId: string; ip: string | null },
  clientId: string,
  check: () => boolean,
): boolean {
  if (ip === null) return check();
  const blocks = blocksOf(deps);
  if (blocks.size > 0) refuseBlocked(deps, blocks, tenantId, clientId, ip);
  if (check()) return true;
  for (const [rule, key] of keysOf(tenantId, clientId, ip)) void count(deps, blocks, rule, key);
  return false;
}

function refuseBlocked(
  deps: Deps,
  blocks: Map<string, number>,
  tenantId: string,
  clientId: string,
  ip: string,
): void {
  const now = deps.clock.now().getTime();
  for (const [rule, key] of keysOf(tenantId, clientId, ip)) {
    const name = `${rule.name}:${key}`;
    const until = blocks.get(name);
    if (until === undefined) continue;
    if (until <= now) blocks.delete(name);
    else {
      const retryAfter = Math.ceil((until - now) / 1_000);
      throw new IdentityError("request.rate_limited", { reason: rule.name, retryAfter });
    }
  }
}

/** Nobody waits for it: the answer to a wrong secret is the same before and after. */
async function count(deps: Deps, blocks: Map<string, number>, rule: LimitRule, key: string): Promise<void> {
  try {
    await deps.limits.consume(rule, key);
    const [state] = await deps.limits.look([{ limit: rule, key }]);
    if (!state || state.seconds === 0) return;
    if (blocks.size >= CAPACITY) blocks.delete(blocks.keys().next().value ?? "");
    blocks.set(`${rule.name}:${key}`, deps.clock.now().getTime() + state.seconds * 1_000);
  } catch (error) {
    deps.log.warn({ err: error }, "counting a wrong client secret failed");
  }
}
