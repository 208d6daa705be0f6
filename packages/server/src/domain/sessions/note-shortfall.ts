import { systemContext } from "../../kernel/context.ts";
import { recordRefusal } from "../audit/index.ts";
import { type Deps, onePerServer, outsideTransaction } from "../deps.ts";
import type { Session } from "./session.store.ts";
import type { Shortfall } from "./still-enough.ts";

/** Sessions that a process remembers to have written down; then it begins anew. */
const CAPACITY = 10_000;

const notedOf = onePerServer(() => new Set<string>());

/**
 * Writes down that a live session was refused because the policy is stricter by now: once for each process, session and
 * reason, as its holder may show it with every request. Nobody waits for it.
 */
export function noteShortfall(deps: Deps, session: Session, { reason }: Shortfall): void {
  const noted = notedOf(deps);
  const key = `${session.id} ${reason}`;
  if (noted.has(key)) return;
  if (noted.size >= CAPACITY) noted.clear();
  noted.add(key);
  recordRefusal(outsideTransaction(deps), systemContext(session.tenantId), {
    type: "session.refused",
    target: { type: "user", id: session.userId },
    reason,
    data: { sessionId: session.id },
  }).catch((error: unknown) => {
    noted.delete(key);
    deps.log.warn({ err: error }, "the refusal of a session was not written down");
  });
}
