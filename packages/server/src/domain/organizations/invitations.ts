import {
  type AcceptedInvitation,
  type CreatedInvitation,
  type CreateInvitation,
  IdentityError,
  type Invitation,
  type Page,
  type PageRequest,
} from "@ostiary/contracts";
import { addSeconds } from "../../kernel/clock.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { newId, newSecret } from "../../kernel/identifiers.ts";
import type { Transaction } from "../../platform/database/types.ts";
import {
  checkGives,
  checkPermission,
  checkPermissionIn,
  findRolesToGive,
  giveRoles,
  loadRightsOf,
} from "../access/index.ts";
import { recordEvent } from "../audit/index.ts";
import { type Deps, outsideTransaction, within } from "../deps.ts";
import { notify } from "../notifications/index.ts";
import { findTenantById, linkTo } from "../tenants/index.ts";
import {
  consumeInvitation,
  deleteInvitationRow,
  insertInvitation,
  selectInvitation,
  selectInvitations,
  selectOpenInvitation,
} from "./invitation.store.ts";
import { lockUnit, selectUnit } from "./unit.store.ts";
import { joinUnit } from "./unit-members.ts";

const SEVEN_DAYS = 7 * 86_400;
const PURPOSE = "invitation";

/**
 * Offers membership: of a unit, of the tenant, with roles. The caller must have what the unit and the roles give; what
 * they give later, whoever gives it must. An invitation without unit, or with roles, needs `user:write`.
 *
 * @returns with the token, which is not stored and cannot be shown again; without it when it was sent.
 * @throws IdentityError `permission.denied`, `permission.escalation`, `unit.not_found`, `role.not_found`,
 *   `invitation.address_required` (`send` without `email`)
 */
export async function createInvitation(
  deps: Deps,
  context: RequestContext,
  input: CreateInvitation,
): Promise<CreatedInvitation> {
  const { unitId = null, email = null, roles = [], position = "", send = false } = input;
  if (send && email === null) throw new IdentityError("invitation.address_required");
  const { tenantId } = context;
  const now = deps.clock.now();
  const token = newSecret();
  const created = await deps.database.transaction(async (tx) => {
    const invitation = await insertInvitation(
      tx,
      tenantId,
      {
        id: newId(now),
        unitId,
        email,
        position,
        sent: send,
        roleIds: await checkOffer(deps, tx, context, unitId, roles),
        tokenHash: tokenHash(deps, token),
        expiresAt: addSeconds(now, input.expiresInSeconds ?? SEVEN_DAYS),
      },
      now,
    );
    const target = { type: "invitation", id: invitation.id };
    const data = { unitId, roles: invitation.roles };
    await recordEvent(deps, tx, context, { type: "invitation.created", target, data });
    if (send) await sendInvitation(within(deps, tx), context, invitation, token);
    return invitation;
  });
  return { ...created, token: send ? null : token };
}

async function sendInvitation(
  joined: Deps,
  context: RequestContext,
  { unitId, email, createdAt, expiresAt }: Invitation,
  token: string,
): Promise<void> {
  const { tenantId } = context;
  const tenant = await findTenantById(outsideTransaction(joined), tenantId);
  if (!tenant) throw new IdentityError("tenant.not_found");
  const unit = unitId === null ? undefined : await selectUnit(joined.database, tenantId, unitId);
  const seconds = (Date.parse(expiresAt) - Date.parse(createdAt)) / 1_000;
  await notify(joined, context, tenant, {
    template: "invitation",
    channel: "email",
    to: email,
    locale: null,
    values: {
      organization: unit?.name ?? tenant.settings.branding.displayName ?? tenant.name,
      link: await linkTo(outsideTransaction(joined), tenantId, "/invitation", { token }),
      days: Math.max(1, Math.round(seconds / 86_400)),
    },
  });
}

/** @returns the ids of the roles. */
async function checkOffer(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  unitId: string | null,
  roles: readonly string[],
): Promise<string[]> {
  const joined = within(deps, tx);
  const { tenantId } = context;
  if (unitId === null || roles.length > 0) checkPermission(context, "user:write");
  if (unitId !== null) {
    await checkPermissionIn(joined, context, "organization:write", { unitId });
    if (!(await lockUnit(tx, tenantId, unitId))) throw new IdentityError("unit.not_found");
    await checkGives(joined, context, await loadRightsOf(tx, tenantId, { type: "unit", id: unitId }));
  }
  return findRolesToGive(deps, tx, context, roles);
}

/** @throws IdentityError `permission.denied`, `invitation.not_found` */
export async function getInvitation(deps: Deps, context: RequestContext, id: string): Promise<Invitation> {
  const invitation = await selectInvitation(deps.database, context.tenantId, id);
  await checkMayHandle(deps, context, "read", invitation);
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
    await checkMayHandle(within(deps, tx), context, "write", invitation);
    if (!invitation || !(await deleteInvitationRow(tx, tenantId, id))) {
      throw new IdentityError("invitation.not_found");
    }
    const target = { type: "invitation", id };
    const { unitId } = invitation;
    await recordEvent(deps, tx, context, { type: "invitation.deleted", target, data: { unitId } });
  });
}

/** Into a unit: `organization:…` there. Into the tenant: `user:…`. One that is not there: as into a unit. */
function checkMayHandle(
  deps: Deps,
  context: RequestContext,
  action: "read" | "write",
  invitation: Invitation | undefined,
): Promise<void> {
  return invitation?.unitId === null
    ? checkPermissionIn(deps, context, `user:${action}`, {})
    : checkPermissionIn(deps, context, `organization:${action}`, { unitId: invitation?.unitId });
}

/** What an open invitation offers, for the page that shows it. */
export interface Offer {
  id: string;
  email: string | null;
  /** Whether its token proves the address: it was sent there and shown to nobody. */
  sent: boolean;
  unitName: string | null;
}

/**
 * What the token offers, to whoever has it.
 *
 * @throws IdentityError `invitation.refused`: unknown, used or expired
 */
export async function findOffer(deps: Deps, context: RequestContext, token: string): Promise<Offer> {
  const hash = tokenHash(deps, token);
  const found = await selectOpenInvitation(deps.database, context.tenantId, hash, deps.clock.now());
  if (!found) throw new IdentityError("invitation.refused", { reason: "unknown, used or expired" });
  const { id, email, sent, unitName } = found;
  return { id, email, sent, unitName };
}

/**
 * The signed-in user takes the offer. It works once.
 *
 * @throws IdentityError `authentication.required` when the caller is no user; `invitation.refused` for every other
 *   refusal, so that a guesser cannot tell a wrong token from a used one
 */
export async function acceptInvitation(
  deps: Deps,
  context: RequestContext,
  token: string,
): Promise<AcceptedInvitation> {
  const { type, id: userId } = context.actor;
  if (type !== "user" || userId === null) throw new IdentityError("authentication.required");
  const hash = tokenHash(deps, token);
  return deps.database.transaction(async (tx) => {
    const invitation = await consumeInvitation(tx, context.tenantId, hash, userId, deps.clock.now());
    if (!invitation) {
      const reason = "unknown, used, expired, or meant for another address";
      throw new IdentityError("invitation.refused", { reason });
    }
    const { id, unitId, position, roleIds } = invitation;
    const values = position === "" ? {} : { position };
    const member =
      unitId === null ? null : await joinUnit(deps, tx, context, unitId, userId, values, async () => {});
    const roles = await giveRoles(deps, tx, context, userId, roleIds);
    const target = { type: "invitation", id };
    const data = { unitId, roles, userId };
    await recordEvent(deps, tx, context, { type: "invitation.accepted", target, data });
    return { ...member, userId, roles };
  });
}

function tokenHash(deps: Deps, token: string): Buffer {
  return deps.secrets.keyedHash(token, PURPOSE);
}
