import { IdentityError } from "@ostiary/contracts";
import { addSeconds } from "../../kernel/clock.ts";
import { type RequestContext, systemContext } from "../../kernel/context.ts";
import { newSecret } from "../../kernel/identifiers.ts";
import { ADMINISTRATOR, assignRoles, hasAdministrator } from "../access/index.ts";
import { setPassword } from "../credentials/index.ts";
import { type Deps, within } from "../deps.ts";
import { ensureDefaultTenant } from "../tenants/index.ts";
import { createUser } from "../users/index.ts";
import { consumeSetUpLink, insertSetUpLink, isSetUpLinkOpen } from "./set-up.store.ts";

/** A day: the link is printed on the server's console, which may be read later than it is written. */
const LINK_SECONDS = 86_400;

/** The name of the account that the link makes. */
export const FIRST_ADMINISTRATOR = "administrator";

/**
 * The address at which the first administrator of the default tenant sets a password, once.
 *
 * @returns null when there is an administrator already.
 */
export async function createSetUpLink(deps: Deps): Promise<string | null> {
  const tenantId = (await ensureDefaultTenant(deps)).id;
  if (await hasAdministrator(deps, tenantId)) return null;
  const token = newSecret();
  await insertSetUpLink(
    deps.database,
    tenantId,
    tokenHash(deps, token),
    addSeconds(deps.clock.now(), LINK_SECONDS),
  );
  return `${deps.publicUrl}/set-up?token=${token}`;
}

/** @throws IdentityError `set_up.link_invalid` */
export async function checkSetUpLink(deps: Deps, context: RequestContext, token: string): Promise<void> {
  const open = await isSetUpLinkOpen(
    deps.database,
    context.tenantId,
    tokenHash(deps, token),
    deps.clock.now(),
  );
  if (!open) throw new IdentityError("set_up.link_invalid");
}

/**
 * Makes the first administrator. The link is used up in the same transaction: of two browsers one wins, and a
 * password that the policy refuses leaves the link usable.
 *
 * @throws IdentityError `set_up.link_invalid`, `password.*`
 */
export async function completeSetUp(
  deps: Deps,
  context: RequestContext,
  token: string,
  password: string,
): Promise<{ userId: string; username: string }> {
  return deps.database.transaction(async (tx) => {
    const joined = within(deps, tx);
    const consumed = await consumeSetUpLink(tx, context.tenantId, tokenHash(deps, token), deps.clock.now());
    if (!consumed || (await hasAdministrator(joined, context.tenantId))) {
      throw new IdentityError("set_up.link_invalid");
    }
    const allowed = { ...context, permissions: systemContext(context.tenantId).permissions };
    const user = await createUser(joined, allowed, {
      username: FIRST_ADMINISTRATOR,
      registerSource: "set-up",
    });
    await setPassword(joined, allowed, user.id, { plain: password });
    await assignRoles(joined, allowed, user.id, [ADMINISTRATOR]);
    return { userId: user.id, username: FIRST_ADMINISTRATOR };
  });
}

function tokenHash(deps: Deps, token: string): Buffer {
  return deps.secrets.keyedHash(token, "set-up-link");
}
