import { type ApplicationSecret, IdentityError } from "@ostiary/contracts";
import { equalBytes } from "../../kernel/constant-time.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { newId, newSecret } from "../../kernel/identifiers.ts";
import type { Transaction } from "../../platform/database/types.ts";
import { checkPermission } from "../access/index.ts";
import { recordEvent } from "../audit/index.ts";
import type { Deps } from "../deps.ts";
import { type Application, findApplicationById, lockApplication } from "./application.store.ts";
import { checkMayControl, usesSecret } from "./check-application.ts";
import {
  deleteExpiredSecrets,
  deleteSecretRows,
  expireSecrets,
  findSecrets,
  insertSecret,
} from "./secret.store.ts";

/** Enough for a rotation in several steps; each is tried at every client authentication. */
export const MAXIMUM_SECRETS = 5;

function hashSecret(deps: Deps, secret: string): Buffer {
  return deps.secrets.keyedHash(secret, "application-secret");
}

/** Stores a plain secret's keyed hash. A hint is kept only of secrets that are long enough to lose four characters. */
export function storeSecret(
  deps: Deps,
  tx: Transaction,
  tenantId: string,
  applicationId: string,
  secret: string,
): Promise<ApplicationSecret> {
  const now = deps.clock.now();
  return insertSecret(tx, tenantId, applicationId, {
    id: newId(now),
    hash: hashSecret(deps, secret),
    hint: secret.length >= 16 ? secret.slice(-4) : "",
    createdAt: now,
    expiresAt: null,
  });
}

/**
 * The last right secret of an application that is in the cache, and which of its secrets it was. A service sends the
 * same secret with every call, and the keyed hash is 2.5 of the 38 µs of a token verification. Gone with the entry,
 * so a changed application is checked anew.
 */
const lastRight = new WeakMap<Application, { secret: Buffer; expiresAt: Date | null }>();

/** Whether `secret` is one of the application's unexpired secrets. Time does not depend on which, or how nearly. */
export function checkClientSecret(deps: Deps, application: Application, secret: string): boolean {
  if (!usesSecret(application)) return false;
  const now = deps.clock.now();
  const known = lastRight.get(application);
  if (known && equalBytes(known.secret, Buffer.from(secret)) && isOpen(known, now)) return true;
  const hash = hashSecret(deps, secret);
  let found: (typeof application.secrets)[number] | undefined;
  for (const stored of application.secrets) {
    const matches = equalBytes(stored.hash, hash);
    if (matches && isOpen(stored, now)) found = stored;
  }
  if (found) lastRight.set(application, { secret: Buffer.from(secret), expiresAt: found.expiresAt });
  return found !== undefined;
}

function isOpen({ expiresAt }: { expiresAt: Date | null }, now: Date): boolean {
  return expiresAt === null || expiresAt > now;
}

/** Needs `application:read`. Oldest first, without the secrets themselves. */
export async function listSecrets(
  deps: Deps,
  context: RequestContext,
  applicationId: string,
): Promise<ApplicationSecret[]> {
  checkPermission(context, "application:read");
  const { tenantId } = context;
  if (!(await findApplicationById(deps.database, tenantId, applicationId))) {
    throw new IdentityError("application.not_found");
  }
  return findSecrets(deps.database, tenantId, applicationId);
}

/**
 * Adds a secret. With `expireOthersAt` this is a rotation: the others work beside it until then. Expired ones go.
 * Needs `application:write`.
 *
 * @param given - the plain secret, which only the configuration file may give.
 * @throws IdentityError `application.not_found`, `application.too_many_secrets`, `application.public_client`,
 *   `permission.escalation`
 */
export async function addSecret(
  deps: Deps,
  context: RequestContext,
  applicationId: string,
  options: { expireOthersAt?: Date | undefined } = {},
  given?: string,
): Promise<ApplicationSecret & { secret: string }> {
  checkPermission(context, "application:write");
  const { tenantId } = context;
  const secret = given ?? newSecret();
  const stored = await deps.database.transaction(async (tx) => {
    const application = await lockApplication(tx, tenantId, applicationId);
    if (!application) throw new IdentityError("application.not_found");
    checkMayControl(context, application);
    if (!usesSecret(application)) throw new IdentityError("application.public_client");
    if (options.expireOthersAt) await expireSecrets(tx, tenantId, applicationId, options.expireOthersAt);
    await deleteExpiredSecrets(tx, tenantId, applicationId, deps.clock.now());
    if ((await findSecrets(tx, tenantId, applicationId)).length >= MAXIMUM_SECRETS) {
      throw new IdentityError("application.too_many_secrets");
    }
    const added = await storeSecret(deps, tx, tenantId, applicationId, secret);
    await recordSecretEvent(deps, tx, context, "application.secret_created", applicationId, added.id);
    return added;
  });
  return { ...stored, secret };
}

/** Needs `application:write`. @throws IdentityError `application.not_found`, `application.secret_not_found` */
export async function deleteSecret(
  deps: Deps,
  context: RequestContext,
  applicationId: string,
  secretId: string,
): Promise<void> {
  checkPermission(context, "application:write");
  const { tenantId } = context;
  await deps.database.transaction(async (tx) => {
    const application = await lockApplication(tx, tenantId, applicationId);
    if (!application) throw new IdentityError("application.not_found");
    checkMayControl(context, application);
    if ((await deleteSecretRows(tx, tenantId, applicationId, secretId)) === 0) {
      throw new IdentityError("application.secret_not_found");
    }
    await recordSecretEvent(deps, tx, context, "application.secret_deleted", applicationId, secretId);
  });
}

function recordSecretEvent(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  type: "application.secret_created" | "application.secret_deleted",
  applicationId: string,
  secretId: string,
): Promise<void> {
  const target = { type: "application", id: applicationId };
  return recordEvent(deps, tx, context, { type, target, data: { secretId } }, [
    `application:${applicationId}`,
  ]);
}
