import { type FeishuIdentity, IdentityError, type SyncUser, type Tenant } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { checkPermission, findPrincipal, type Principal } from "../access/index.ts";
import { type Application, findApplication, mayUse } from "../applications/index.ts";
import { recordEvent } from "../audit/index.ts";
import { type Deps, within } from "../deps.ts";
import { checkMayBeVouchedFor } from "../sign-in/index.ts";
import { issueDirectly } from "../tokens/index.ts";
import { findUserByUsername, findUserIdBySerial } from "../users/index.ts";
import { asProvisioner } from "./as-provisioner.ts";
import { insertFederatedIdentities } from "./federated-identity.store.ts";
import { FEISHU, findUserByFeishu, identitiesOf } from "./feishu-identity.ts";
import { letIn, type Synced, syncUser } from "./sync-users.ts";

/**
 * Makes sure that a person at Feishu is a user here, who may use the calling application. A user who is found, by
 * Feishu id or username, keeps his profile and the ids that he has.
 *
 * Needs `user:write`, or an application as caller.
 *
 * @throws IdentityError `feishu.identity_required`, `feishu.identity_conflict`, `permission.escalation`, and what
 *   `syncUser` throws
 */
export async function syncFeishuUser(
  deps: Deps,
  context: RequestContext,
  input: SyncUser,
  feishu: FeishuIdentity,
): Promise<Synced> {
  const provisioner = asProvisioner(context);
  checkPermission(provisioner, "user:write");
  const identities = identitiesOf(feishu);
  const name = input.username || (identities[0] && `feishu_${identities[0].subject}`);
  if (!name) throw new IdentityError("feishu.identity_required");
  const { tenantId } = provisioner;
  const known = await findUserByFeishu(deps, tenantId, feishu);
  const principal = known === null ? null : await findPrincipal(deps, tenantId, known);
  const synced = principal
    ? { userId: principal.userId, serial: principal.serial, created: false }
    : await syncUser(deps, context, { ...input, username: name });
  await deps.database.transaction(async (tx) => {
    const { userId } = synced;
    const now = deps.clock.now();
    const realm = feishu.tenantKey ?? "";
    await letIn(within(deps, tx), context, userId);
    const added = await insertFederatedIdentities(tx, tenantId, userId, FEISHU, realm, identities, now);
    if (added === 0) return;
    if (!synced.created) await checkMayName(within(deps, tx), context, userId);
    const event = {
      type: "user.federated",
      target: { type: "user", id: userId },
      data: { provider: FEISHU },
    } as const;
    await recordEvent(deps, tx, context, event, [`user:${userId}`]);
  });
  return synced;
}

/**
 * Whoever says who an administrator is at Feishu could be him wherever people come from there. An application that does
 * not administer the tenant must not; `linkIdentity` asks the same of people.
 *
 * @throws IdentityError `permission.escalation`
 */
async function checkMayName(
  joined: Deps,
  { actor, tenantId }: RequestContext,
  userId: string,
): Promise<void> {
  if (actor.type !== "application" || actor.id === null) return;
  const application = await findApplication(joined, tenantId, actor.id);
  const user = await findPrincipal(joined, tenantId, userId);
  if (user?.permissions.has("*") && application?.administers == null) {
    throw new IdentityError("permission.escalation", { reason: "an identity of an administrator" });
  }
}

/** Somebody, by one of his names. */
export interface PersonName {
  serial?: number | undefined;
  username?: string | undefined;
  feishu: FeishuIdentity;
}

/** Who asks: an application sees who may use it, the tenant's own API (null) everybody. */
export interface Viewer {
  tenantId: string;
  application: Application | null;
}

/**
 * The active user who is meant, when the viewer may see him.
 *
 * @throws IdentityError `feishu.identity_required`, `feishu.identity_conflict`, `feishu.user_not_found`,
 *   `user.suspended`
 */
export async function resolvePerson(deps: Deps, viewer: Viewer, name: PersonName): Promise<Principal> {
  const { tenantId, application } = viewer;
  const userId = await findUserId(deps, tenantId, name);
  const principal = userId === null ? null : await findPrincipal(deps, tenantId, userId);
  const isVisible =
    principal !== null &&
    principal.status !== "deleted" &&
    (application === null || (await mayUse(deps, application, principal.userId)));
  if (!isVisible) throw new IdentityError("feishu.user_not_found");
  if (principal.status === "suspended") throw new IdentityError("user.suspended");
  return principal;
}

async function findUserId(
  deps: Deps,
  tenantId: string,
  { serial, username, feishu }: PersonName,
): Promise<string | null> {
  if (serial !== undefined) return findUserIdBySerial(deps, tenantId, serial);
  if (username) return (await findUserByUsername(deps, tenantId, username))?.id ?? null;
  if (identitiesOf(feishu).length === 0) throw new IdentityError("feishu.identity_required");
  return findUserByFeishu(deps, tenantId, feishu);
}

/** Seconds. */
const LONGEST_FEISHU_TOKEN = 604_800;

/**
 * A token for a person whom Feishu has authenticated: the application vouches for him. Nobody is created. For
 * somebody who may do everything only an application may that administers the tenant; for somebody who would be asked
 * for a second factor none may.
 *
 * @throws IdentityError those of `resolvePerson`, `permission.escalation`, `credential.second_factor_required`,
 *   `request.invalid`
 */
export async function issueFeishuToken(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  input: { application: Application; person: PersonName; expiresIn: number },
): Promise<{ accessToken: string; expiresAt: Date; user: Principal }> {
  const { application, expiresIn } = input;
  if (!Number.isInteger(expiresIn) || expiresIn < 1 || expiresIn > LONGEST_FEISHU_TOKEN) {
    const message = `must be a whole number of seconds from 1 to ${LONGEST_FEISHU_TOKEN}`;
    throw new IdentityError("request.invalid", { fields: [{ path: "/expiresIn", message }] });
  }
  const user = await resolvePerson(deps, { tenantId: tenant.id, application }, input.person);
  if (user.permissions.has("*") && application.administers === null) {
    throw new IdentityError("permission.escalation", { reason: "a token for an administrator" });
  }
  await checkMayBeVouchedFor(deps, tenant, application, user.userId);
  const { token } = await issueDirectly(deps, context, tenant, {
    application,
    userId: user.userId,
    expiresIn,
    reason: "feishu",
  });
  return { accessToken: token, expiresAt: new Date(deps.clock.now().getTime() + expiresIn * 1_000), user };
}
