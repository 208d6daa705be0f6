import { IdentityError } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { newId } from "../../kernel/identifiers.ts";
import { checkPermission } from "../access/index.ts";
import { recordEvent } from "../audit/index.ts";
import type { Deps } from "../deps.ts";
import { lockApplication } from "./application.store.ts";
import { MAXIMUM_SECRETS } from "./application-secrets.ts";
import { checkMayControl, usesSecret } from "./check-application.ts";
import { deleteExpiredSecrets, findSecrets, insertSecret } from "./secret.store.ts";

/**
 * Adds a secret of which only the keyed hash is known: one that an export of this installation wrote. Needs
 * `application:write`.
 *
 * @throws IdentityError as `addSecret`
 */
export async function adoptSecret(
  deps: Deps,
  context: RequestContext,
  applicationId: string,
  secret: { hash: Buffer; hint: string; expiresAt: Date | null },
): Promise<void> {
  checkPermission(context, "application:write");
  const { tenantId } = context;
  const now = deps.clock.now();
  await deps.database.transaction(async (tx) => {
    const application = await lockApplication(tx, tenantId, applicationId);
    if (!application) throw new IdentityError("application.not_found");
    checkMayControl(context, application);
    if (!usesSecret(application)) throw new IdentityError("application.public_client");
    await deleteExpiredSecrets(tx, tenantId, applicationId, now);
    if ((await findSecrets(tx, tenantId, applicationId)).length >= MAXIMUM_SECRETS) {
      throw new IdentityError("application.too_many_secrets");
    }
    const { id } = await insertSecret(tx, tenantId, applicationId, {
      id: newId(now),
      createdAt: now,
      ...secret,
    });
    const target = { type: "application", id: applicationId };
    const event = { type: "application.secret_created", target, data: { secretId: id } } as const;
    await recordEvent(deps, tx, context, event, [`application:${applicationId}`]);
  });
}
