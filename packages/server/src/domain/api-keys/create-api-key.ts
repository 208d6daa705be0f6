import { randomBytes } from "node:crypto";
import { type ApiKey, type CreateApiKey, IdentityError } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { newId } from "../../kernel/identifiers.ts";
import { checkNotImpersonated, checkPermission } from "../access/index.ts";
import { recordEvent } from "../audit/index.ts";
import { type Deps, within } from "../deps.ts";
import { insertApiKey } from "./api-key.store.ts";
import { checkMayControlKey } from "./check-control.ts";

/** What only the configuration file may give. */
export interface GivenApiKey {
  id?: string | undefined;
  /** `ak_` and 32 lowercase hex characters. */
  key?: string | undefined;
}

export const KEY_PATTERN = /^ak_[0-9a-f]{32}$/;

/** A new key: `ak_` and 128 random bits. */
function newApiKey(): string {
  return `ak_${randomBytes(16).toString("hex")}`;
}

export function hashApiKey(deps: Deps, key: string): Buffer {
  return deps.secrets.keyedHash(key, "api-key");
}

/**
 * Creates a key of a user, of an application, or of the tenant itself. Needs `api-key:write`, except for a user's own
 * key, and every permission that the key can use.
 *
 * @returns the key's description and its plain text, which is not stored and cannot be shown again.
 * @throws IdentityError `api_key.owner_invalid`, `api_key.invalid` (a given text of another form),
 *   `api_key.key_taken`, `user.not_found`, `application.not_found`, `permission.escalation`
 */
export async function createApiKey(
  deps: Deps,
  context: RequestContext,
  input: CreateApiKey,
  given: GivenApiKey = {},
): Promise<{ apiKey: ApiKey; key: string }> {
  const key = given.key ?? newApiKey();
  if (!KEY_PATTERN.test(key)) throw new IdentityError("api_key.invalid", { reason: "form of a given key" });
  const stored = { id: given.id, hint: key.slice(-4), hash: hashApiKey(deps, key) };
  return { apiKey: await adoptApiKey(deps, context, input, stored), key };
}

/** Makes a key of which only the keyed hash is known: one that an export of this installation wrote. */
export async function adoptApiKey(
  deps: Deps,
  context: RequestContext,
  input: CreateApiKey,
  stored: { id?: string | undefined; hash: Buffer; hint: string },
): Promise<ApiKey> {
  checkNotImpersonated(context);
  const { tenantId, actor } = context;
  const own = input.type === "user" && actor.type === "user" && actor.id === input.userId;
  if (!own) checkPermission(context, "api-key:write");
  const owner = ownerOf(input);
  const now = deps.clock.now();
  return deps.database.transaction(async (tx) => {
    const created = await insertApiKey(tx, {
      tenantId,
      id: stored.id ?? newId(now),
      name: input.name,
      description: input.description ?? "",
      type: input.type,
      ...owner,
      permissions: input.permissions ?? null,
      hint: stored.hint,
      hash: stored.hash,
      status: input.status ?? "active",
      expiresAt: input.expiresAt == null ? null : new Date(input.expiresAt),
      now,
    });
    await checkMayControlKey(within(deps, tx), context, created);
    const target = { type: "api-key", id: created.id };
    const data = { keyType: input.type, ...owner };
    await recordEvent(deps, tx, context, { type: "api_key.created", target, data });
    return created;
  });
}

function ownerOf(input: CreateApiKey): { userId: string | null; applicationId: string | null } {
  const userId = input.userId ?? null;
  const applicationId = input.applicationId ?? null;
  const fits =
    (input.type === "user") === (userId !== null) &&
    (input.type === "application") === (applicationId !== null);
  if (!fits) throw new IdentityError("api_key.owner_invalid");
  return { userId, applicationId };
}
