import type { RequestContext } from "../../kernel/context.ts";
import { recordEvent } from "../audit/index.ts";
import { type Deps, within } from "../deps.ts";
import { revokeSession } from "../sessions/index.ts";

/** Ends the person's session and, with it, every token that was bound to it. Nothing happens when it has ended already. */
export async function signOut(deps: Deps, context: RequestContext, sessionId: string): Promise<void> {
  await deps.database.transaction(async (tx) => {
    if (!(await revokeSession(within(deps, tx), context, sessionId, "signed out"))) return;
    await recordEvent(deps, tx, context, { type: "user.logout", target: { type: "session", id: sessionId } });
  });
}
