import type { Tenant } from "@ostiary/contracts";
import { addSeconds } from "../../kernel/clock.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { newId } from "../../kernel/identifiers.ts";
import type { Application } from "../applications/index.ts";
import { recordEvent } from "../audit/index.ts";
import type { Deps } from "../deps.ts";
import { type IssuedAccessToken, issueAccessToken } from "./issue-access-token.ts";
import { insertFamily } from "./token-family.store.ts";

/** Says who a person is, and opens no API of ours. */
const SCOPES = ["openid", "profile"];

/**
 * An access token of an application for a person who did not sign in here: somebody else vouches for him. Whether that
 * may be is for the caller to have decided. Revocation ends it like any other.
 *
 * @param input.expiresIn - seconds.
 */
export async function issueDirectly(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  input: { application: Application; userId: string; expiresIn: number; reason: string },
): Promise<IssuedAccessToken> {
  const { application, userId, expiresIn } = input;
  const now = deps.clock.now();
  const familyId = newId(now);
  await deps.database.transaction(async (tx) => {
    await insertFamily(tx, tenant.id, {
      id: familyId,
      applicationId: application.id,
      userId,
      sessionId: null,
      scopes: SCOPES,
      details: { amr: [] },
      authenticatedAt: now,
      codeHash: null,
      codeExpiresAt: null,
      codeChallenge: null,
      redirectUri: null,
      createdAt: now,
      expiresAt: addSeconds(now, expiresIn),
    });
    await recordEvent(deps, tx, context, {
      type: "token.issued",
      target: { type: "application", id: application.id },
      data: { familyId, userId, scopes: SCOPES, reason: input.reason },
    });
  });
  return issueAccessToken(deps, {
    tenant,
    application,
    familyId,
    subject: userId,
    scopes: SCOPES,
    expiresIn,
  });
}
