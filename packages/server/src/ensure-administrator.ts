import { hasAdministrator } from "./domain/access/index.ts";
import type { Deps } from "./domain/deps.ts";
import { completeSetUp, createSetUpLink } from "./domain/sign-in/index.ts";
import { findTenantBySlug } from "./domain/tenants/index.ts";
import { systemContext } from "./kernel/context.ts";
import { newSecret } from "./kernel/identifiers.ts";

/** Makes an administrator with a random password on a throw-away server that has none. */
export async function ensureAdministrator(
  deps: Deps,
): Promise<{ username: string; password: string } | null> {
  const tenant = await findTenantBySlug(deps, "default");
  if (!tenant || (await hasAdministrator(deps, tenant.id))) return null;
  const link = await createSetUpLink(deps);
  const token = new URL(link ?? "").searchParams.get("token") ?? "";
  const password = newSecret(15);
  const { username } = await completeSetUp(deps, systemContext(tenant.id), token, password);
  return { username, password };
}
