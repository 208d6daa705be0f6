import type { Tenant } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import type { LimitRule } from "../../kernel/ports.ts";
import { recordRefusal } from "../audit/index.ts";
import type { Deps } from "../deps.ts";
import { noticeTo } from "./factor-changes.ts";

/** Whoever keeps locking an account must not fill its mailbox. */
const NOTICES: LimitRule = { name: "lock-notice", points: 3, seconds: 86_400 };

/**
 * An account was locked for some seconds: the audit log says so, and the person is told. Nobody waits for the message,
 * so that the answer's time does not tell whether there is somebody.
 */
export async function noteLock(
  deps: Deps,
  context: RequestContext,
  tenant: Pick<Tenant, "id">,
  userId: string | undefined,
  { seconds, method }: { seconds: number; method: string },
): Promise<void> {
  const target = userId === undefined ? {} : { target: { type: "user", id: userId } };
  await recordRefusal(deps, context, { type: "user.locked", ...target, data: { method, seconds } });
  if (userId === undefined) return;
  const values = { minutes: Math.ceil(seconds / 60), ip: context.ip ?? "?" };
  const tell = async () => {
    const wait = await deps.limits.consume(NOTICES, `${tenant.id}:${userId}`);
    if (wait === 0) await noticeTo(deps, context, tenant, userId, { template: "locked", values });
  };
  tell().catch((error: unknown) =>
    deps.log.warn({ err: error }, "the notice of a locked account was not sent"),
  );
}
