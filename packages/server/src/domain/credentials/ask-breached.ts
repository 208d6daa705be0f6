import { type Deps, isJoined } from "../deps.ts";
import { findTenantById } from "../tenants/index.ts";

/**
 * Asks whether a password is a breached one, where the tenant wants to know, before a transaction begins: the answer may
 * come from somebody else's service, and meanwhile a connection would wait, with its locks.
 *
 * @returns dependencies that know the answer for this password.
 */
export async function askBreached(deps: Deps, tenantId: string, password: string): Promise<Deps> {
  const { breachedPasswords } = deps;
  if (!breachedPasswords || isJoined(deps)) return deps;
  const tenant = await findTenantById(deps, tenantId);
  if (!tenant?.settings.passwordPolicy.checkBreached) return deps;
  const answer = await breachedPasswords.isBreached(password);
  const isBreached = async (other: string) =>
    other === password ? answer : breachedPasswords.isBreached(other);
  return { ...deps, breachedPasswords: { isBreached } };
}
