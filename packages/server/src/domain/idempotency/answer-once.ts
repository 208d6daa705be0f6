import { createHash } from "node:crypto";
import { IdentityError } from "@ostiary/contracts";
import { addSeconds } from "../../kernel/clock.ts";
import { equalBytes } from "../../kernel/constant-time.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { type Deps, within } from "../deps.ts";
import { insertAnswer, selectAnswer, tryLockKey } from "./idempotency.store.ts";

/** How long a repetition is answered from the store: a day. */
const KEPT_SECONDS = 86_400;
const PURPOSE = "idempotency-answer";

/** What a request was answered with. `body` is the JSON value; absent = none. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  body?: unknown;
}

/**
 * Does something once for a key that the caller chose: claim, effect and answer are one transaction, so after a crash
 * either all of it happened or nothing. A repetition gets the stored answer. A refusal is not stored: it has no effect,
 * so it may be tried again.
 *
 * @param request - all that makes the request what it is; the same key with another request is refused.
 * @param effect - must use the dependencies that it is given.
 * @throws IdentityError `idempotency.in_progress`, `idempotency.key_reused`, and what `effect` throws
 */
export function answerOnce(
  deps: Deps,
  context: RequestContext,
  key: string,
  request: readonly string[],
  effect: (joined: Deps) => Promise<Answer>,
): Promise<Answer & { replayed: boolean }> {
  const { type, id } = context.actor;
  const owner = { tenantId: context.tenantId, actor: `${type}:${id ?? ""}`, key };
  const requestHash = createHash("sha256").update(JSON.stringify(request)).digest();
  return deps.database.transaction(async (tx) => {
    if (!(await tryLockKey(tx, owner))) throw new IdentityError("idempotency.in_progress", { retryAfter: 1 });
    const now = deps.clock.now();
    const stored = await selectAnswer(tx, owner, now);
    if (stored) {
      if (!equalBytes(stored.requestHash, requestHash)) throw new IdentityError("idempotency.key_reused");
      const { body } = JSON.parse(deps.secrets.unseal(Buffer.from(stored.body, "base64"), PURPOSE)) as {
        body?: unknown;
      };
      return { status: stored.status, headers: stored.headers, body, replayed: true };
    }
    const answer = await effect(within(deps, tx));
    const body = deps.secrets.seal(JSON.stringify({ body: answer.body }), PURPOSE).toString("base64");
    await insertAnswer(tx, owner, { ...answer, requestHash, body }, addSeconds(now, KEPT_SECONDS));
    return { ...answer, replayed: false };
  });
}
