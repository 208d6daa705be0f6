import { type FeishuIdentity, IdentityError } from "@ostiary/contracts";
import { TenantCache } from "../../kernel/tenant-cache.ts";
import { cachePerServer, type Deps, isJoined } from "../deps.ts";
import {
  type FederatedIdentity,
  selectFederatedUsers,
  selectIdentitiesOfUser,
} from "./federated-identity.store.ts";

export const FEISHU = "feishu";

/** Users whose identities are kept in memory. */
const CAPACITY = 50_000;

const KINDS = { userId: "user_id", openId: "open_id", unionId: "union_id" } as const;

export function identitiesOf(feishu: FeishuIdentity): FederatedIdentity[] {
  return (["userId", "openId", "unionId"] as const).flatMap((name) => {
    const subject = feishu[name];
    return subject ? [{ kind: KINDS[name], subject }] : [];
  });
}

/** Known to nobody else than Feishu's people: one object for all who are not. */
const NOBODY: FeishuIdentity = {};

const cacheOf = cachePerServer(
  (isLive) => new TenantCache<FeishuIdentity>(CAPACITY, isLive),
  (cache, noun, id) => {
    if (noun === "user") cache.invalidate(id);
    if (noun === "tenant") cache.invalidateTenant(id);
  },
);

/** Who a user is at Feishu; a plain value when it is in the cache. */
export function findFeishuIdentity(
  deps: Deps,
  tenantId: string,
  userId: string,
): FeishuIdentity | Promise<FeishuIdentity> {
  const load = async () => {
    const rows = await selectIdentitiesOfUser(deps.database, tenantId, userId, FEISHU);
    const [first] = rows;
    if (!first) return NOBODY;
    const subject = (kind: string) =>
      rows.find((row) => row.kind === kind && row.realm === first.realm)?.subject;
    const entries = Object.entries(KINDS).map(([name, kind]) => [name, subject(kind)] as const);
    const known = entries.filter(([, value]) => value !== undefined);
    return { ...Object.fromEntries(known), ...(first.realm ? { tenantKey: first.realm } : {}) };
  };
  if (isJoined(deps)) return load();
  const found = cacheOf(deps).get(tenantId, userId, load);
  return found instanceof Promise ? found.then((identity) => identity ?? NOBODY) : (found ?? NOBODY);
}

/**
 * The user with one of these ids.
 *
 * @throws IdentityError `feishu.identity_conflict` when they are several users'
 */
export async function findUserByFeishu(
  deps: Deps,
  tenantId: string,
  feishu: FeishuIdentity,
): Promise<string | null> {
  const identities = identitiesOf(feishu);
  if (identities.length === 0) return null;
  const users = await selectFederatedUsers(
    deps.database,
    tenantId,
    FEISHU,
    feishu.tenantKey ?? "",
    identities,
  );
  if (users.length > 1) throw new IdentityError("feishu.identity_conflict");
  return users[0] ?? null;
}
