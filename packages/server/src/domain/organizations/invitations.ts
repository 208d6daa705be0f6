import {
  type CreatedInvitation,
  type CreateInvitation,
  IdentityError,
  type Invitation,
  type Page,
  type PageRequest,
  type UnitMember,
} from "@ostiary/contracts";
import { addSeconds } from "../../kernel/clock.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { newId, newSecret } from "../../kernel/identifiers.ts";
import { checkGives, checkPermissionIn, loadRightsOf } from "../access/index.ts";
import { recordEvent } from "../audit/index.ts";
import { type Deps, within } from "../deps.ts";
import {
  consumeInvitation,
  deleteInvitationRow,
  insertInvitation,
  selectInvitation,
  selectInvitations,
} from "./invitation.store.ts";
import { lockUnit } from "./unit.store.ts";
import { joinUnit } from "./unit-members.ts";

const SEVEN_DAYS = 7 * 86_400;
const PURPOSE = "invitation";

/**
 * Offers membership of a unit. The caller must have what the unit gives; what it gives later, whoever gives it must.
 *
 * @returns with the token, which is not stored and cannot be shown again.
 * @throws IdentityError `permission.denied`, `permission.escalation`, `unit.not_found`
 */
export async function createInvitation(
  deps: Deps,
  context: RequestContext,
  { unitId, email, position = "", expiresInSeconds = SEVEN_DAYS }: CreateInvitation,
): Promise<CreatedInvitation> {
  const { tenantId } = context;
  const now = deps.clock.now();
  const token = newSecret();
  return deps.database.transaction(async (tx) => {
    const joined = within(deps, tx);
    await checkPermissionIn(joined, context, "organization:write", { unitId });
    if (!(await lockUnit(tx, tenantId, unitId))) throw new IdentityError("unit.not_found");
    await checkGives(joined, context, await loadRightsOf(tx, tenantId, { type: "unit", id: unitId }));
    const tokenHash = deps.secrets.keyedHash(token, PURPOSE);
    const expiresAt = addSeconds(now, expiresInSeconds);
    const values = { id: newId(now), unitId, email: email ?? null, position, tokenHash, expiresAt };
    const invitation = await insertInvitation(tx, tenantId, values, now);
    const target = { type: "invitation", id: invitation.id };
    await recordEvent(deps, tx, context, { type: "invitation.created", target, data: { unitId } });
    return { ...invitation, token };
  });
}

/** @throws IdentityError `permission.denied`, `invitation.not_found` */
export async function getInvitation(deps: Deps, context: RequestContext, id: string): Promise<Invitation> {
  const invitation = await selectInvitation(deps.database, context.tenantId, id);
  await checkPermissionIn(deps, context, "organization:read", { unitId: invitation?.unitId });
  if (!invitation) throw new IdentityError("invitation.not_found");
  return invitation;
}

/** Newest first; used and expired ones too. @throws IdentityError `permission.denied` */
export async function listInvitations(
  deps: Deps,
  context: RequestContext,
  query: PageRequest & { unitId?: string | undefined },
): Promise<Page<Invitation>> {
  await checkPermissionIn(deps, context, "organization:read", { unitId: query.unitId });
  const limit = query.limit ?? 50;
  const rows = await selectInvitations(deps.database, context.tenantId, query.unitId, query.after, limit + 1);
  const items = rows.slice(0, limit);
  return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}

/** Takes an offer back; a membership that came of it stays. @throws IdentityError `permission.denied`, `invitation.not_found` */
export async function deleteInvitation(deps: Deps, context: RequestContext, id: string): Promise<void> {
  const { tenantId } = context;
  await deps.database.transaction(async (tx) => {
    const invitation = await selectInvitation(tx, tenantId, id);
    const unitId = invitation?.unitId;
    await checkPermissionIn(within(deps, tx), context, "organization:write", { unitId });
    if (!(await deleteInvitationRow(tx, tenantId, id))) throw new IdentityError("invitation.not_found");
    const target = { type: "invitation", id };
    await recordEvent(deps, tx, context, { type: "invitation.deleted", target, data: { unitId } });
  });
}

/**
 * The signed-in user becomes a member. It works once.
 *
 * @throws IdentityError `authentication.required` when the caller is no user; `invitation.refused` for every other
 *   refusal, so that a guesser cannot tell a wrong token from a used one
 */
export async function acceptInvitation(
  deps: Deps,
  context: RequestContext,
  token: string,
): Promise<UnitMember> {
  const { type, id: userId } = context.actor;
  if (type !== "user" || userId === null) throw new IdentityError("authentication.required");
  const tokenHash = deps.secrets.keyedHash(token, PURPOSE);
  return deps.database.transaction(async (tx) => {
    const invitation = await consumeInvitation(tx, context.tenantId, tokenHash, userId, deps.clock.now());
    if (!invitation) {
      const reason = "unknown, used, expired, or meant for another address";
      throw new IdentityError("invitation.refused", { reason });
    }
    const { id, unitId, position } = invitation;
    const values = position === "" ? {} : { position };
    const member = await joinUnit(deps, tx, context, unitId, userId, values, async () => {});
    const target = { type: "invitation", id };
    await recordEvent(deps, tx, context, { type: "invitation.accepted", target, data: { unitId, userId } });
    return member;
  });
}
