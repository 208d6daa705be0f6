import { IdentityError, type LinkedIdentity, type LinkIdentity, type LinkProof } from "@ostiary/contracts";
import type { ChangeKey } from "../../kernel/changes.ts";
import { addSeconds } from "../../kernel/clock.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { newId, newSecret } from "../../kernel/identifiers.ts";
import type { Transaction } from "../../platform/database/types.ts";
import { checkMayControl, checkPermission, checkPermissionIn } from "../access/index.ts";
import { recordEvents } from "../audit/index.ts";
import { factorsOfUser, noticeTo, passwordState } from "../credentials/index.ts";
import { type Deps, within } from "../deps.ts";
import { checkRecentAuthentication } from "../sessions/index.ts";
import {
  consumeAccountLink,
  deleteIdentity,
  insertAccountLink,
  insertIdentity,
  lockUser,
  moveIdentities,
  selectIdentities,
} from "./identity.store.ts";

/** Seconds to sign in to the other account. */
const PROOF_SECONDS = 600;

/** One's own, or with `user:read`. @throws IdentityError `permission.denied` */
export async function listIdentities(
  deps: Deps,
  context: RequestContext,
  userId: string,
): Promise<LinkedIdentity[]> {
  if (!(context.actor.type === "user" && context.actor.id === userId)) {
    await checkPermissionIn(deps, context, "user:read", { userId });
  }
  return selectIdentities(deps.database, context.tenantId, userId);
}

/**
 * An administrator says who a user is elsewhere: by that he can sign in, so it needs `user:write` and all the user's
 * rights.
 *
 * @throws IdentityError `permission.denied`, `permission.escalation`, `user.not_found`, `identity.taken`
 */
export async function linkIdentity(
  deps: Deps,
  context: RequestContext,
  userId: string,
  { provider, realm = "", kind, subject }: LinkIdentity,
): Promise<LinkedIdentity> {
  checkPermission(context, "user:write");
  const now = deps.clock.now();
  return deps.database.transaction(async (tx) => {
    await changeable(deps, tx, context, userId);
    const values = { id: newId(now), provider, realm, kind, subject };
    const identity = await insertIdentity(tx, context.tenantId, userId, values, now);
    if (!identity) throw new IdentityError("identity.taken");
    await tell(deps, tx, context, "identity.linked", userId, [identity]);
    return identity;
  });
}

/**
 * Takes an identity away: one's own with a recent sign-in, unless nothing else is left to sign in with; another's with
 * `user:write` and all his rights.
 *
 * @throws IdentityError `identity.not_found`, `identity.last`, `authentication.stale`, `permission.denied`,
 *   `permission.escalation`, `user.not_found`
 */
export async function unlinkIdentity(
  deps: Deps,
  context: RequestContext,
  userId: string,
  id: string,
): Promise<void> {
  const own = context.actor.type === "user" && context.actor.id === userId;
  if (own) await checkRecentAuthentication(deps, context);
  else checkPermission(context, "user:write");
  await deps.database.transaction(async (tx) => {
    await changeable(deps, tx, context, userId);
    const identity = await deleteIdentity(tx, context.tenantId, userId, id);
    if (!identity) throw new IdentityError("identity.not_found");
    if (own && !(await canStillSignIn(within(deps, tx), context.tenantId, userId))) {
      throw new IdentityError("identity.last");
    }
    await tell(deps, tx, context, "identity.unlinked", userId, [identity]);
  });
}

/**
 * The first half of linking two accounts, in the one that is to give its identities: proves that the person has it.
 *
 * @throws IdentityError `authentication.stale`, `impersonation.not_allowed`
 */
export async function proveAccount(deps: Deps, context: RequestContext): Promise<LinkProof> {
  const { userId } = await checkRecentAuthentication(deps, context);
  const now = deps.clock.now();
  const token = newSecret();
  const expiresAt = addSeconds(now, PROOF_SECONDS);
  const tokenHash = deps.secrets.keyedHash(token, "account-link");
  await insertAccountLink(deps.database, context.tenantId, { tokenHash, userId, createdAt: now, expiresAt });
  return { token, expiresAt: expiresAt.toISOString() };
}

/**
 * The second half, in the account that takes them: from now on the other's identities sign in to this one. The other
 * account stays, with whatever else it has.
 *
 * @param token - of `proveAccount`; works once.
 * @throws IdentityError `authentication.stale`, `impersonation.not_allowed`, `identity.proof_refused`, `identity.taken`
 *   when both accounts have an identity of the same kind
 */
export async function linkAccount(
  deps: Deps,
  context: RequestContext,
  token: string,
): Promise<LinkedIdentity[]> {
  const { userId } = await checkRecentAuthentication(deps, context);
  const { tenantId } = context;
  const tokenHash = deps.secrets.keyedHash(token, "account-link");
  return deps.database.transaction(async (tx) => {
    const proof = await consumeAccountLink(tx, tenantId, tokenHash, deps.clock.now());
    if (!proof || proof.userId === userId) throw new IdentityError("identity.proof_refused");
    const otherId = proof.userId;
    // In one order, so that two who link each other's accounts do not wait for each other.
    for (const id of [otherId, userId].sort()) {
      if (!(await lockUser(tx, tenantId, id))) throw new IdentityError("identity.proof_refused");
    }
    await checkNotOutdated(within(deps, tx), tenantId, proof);
    await checkDistinct(tx, tenantId, otherId, userId);
    const moved = await moveIdentities(tx, tenantId, otherId, userId);
    await tell(deps, tx, context, "identity.unlinked", otherId, moved);
    await tell(deps, tx, context, "identity.linked", userId, moved);
    return moved;
  });
}

/** Who has changed the password wants whoever was in with the old one to be out: what that one has proven is over too. */
async function checkNotOutdated(
  joined: Deps,
  tenantId: string,
  { userId, createdAt }: { userId: string; createdAt: Date },
): Promise<void> {
  const { changedAt } = await passwordState(joined, tenantId, userId);
  if (changedAt !== null && changedAt > createdAt) {
    throw new IdentityError("identity.proof_refused", { reason: "password changed" });
  }
}

/** One person has one identifier of a kind at a provider; two would make it a matter of luck which is meant. */
async function checkDistinct(tx: Transaction, tenantId: string, one: string, other: string): Promise<void> {
  const keyOf = ({ provider, realm, kind }: LinkedIdentity) => JSON.stringify([provider, realm, kind]);
  const kept = new Set((await selectIdentities(tx, tenantId, other)).map(keyOf));
  const moving = await selectIdentities(tx, tenantId, one);
  if (moving.some((identity) => kept.has(keyOf(identity)))) throw new IdentityError("identity.taken");
}

async function changeable(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  userId: string,
): Promise<void> {
  if (!(await lockUser(tx, context.tenantId, userId))) throw new IdentityError("user.not_found");
  await checkMayControl(within(deps, tx), context, userId);
}

/** Confirmed addresses count: codes may be sent there, or a password be set anew. */
async function canStillSignIn(joined: Deps, tenantId: string, userId: string): Promise<boolean> {
  if ((await selectIdentities(joined.database, tenantId, userId)).length > 0) return true;
  const { password, passkeys, email, phone } = await factorsOfUser(joined, tenantId, userId);
  return password || passkeys > 0 || email !== null || phone !== null;
}

async function tell(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  type: "identity.linked" | "identity.unlinked",
  userId: string,
  identities: readonly LinkedIdentity[],
): Promise<void> {
  if (identities.length === 0) return;
  const changes: ChangeKey[] = [`user:${userId}`];
  const events = identities.map(({ provider, realm, kind, subject }) => ({
    type,
    target: { type: "user", id: userId },
    data: { provider, realm, kind, subject },
  }));
  await recordEvents(deps, tx, context, events, changes);
  if (type !== "identity.linked") return;
  const time = deps.clock.now();
  for (const provider of new Set(identities.map((identity) => identity.provider))) {
    const notice = { template: "account-linked", values: { provider, time } } as const;
    await noticeTo(within(deps, tx), context, { id: context.tenantId }, userId, notice);
  }
}
