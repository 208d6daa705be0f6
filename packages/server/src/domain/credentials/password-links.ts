import { IdentityError } from "@ostiary/contracts";
import { addSeconds } from "../../kernel/clock.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { newSecret } from "../../kernel/identifiers.ts";
import { type Deps, within } from "../deps.ts";
import { askBreached } from "./ask-breached.ts";
import { insertPasswordLink, selectPasswordLink, takePasswordLink } from "./password-link.store.ts";
import { replacePassword } from "./set-password.ts";

/**
 * The secret of a link by which a user chooses a password, once; the present password stays good until then. For rules
 * that send it to the user's own mailbox and show it to nobody else. Earlier links of the user are no more, and a changed
 * password ends this one.
 *
 * @param seconds - for which it works.
 */
export async function createPasswordLink(
  deps: Deps,
  tenantId: string,
  userId: string,
  seconds: number,
): Promise<string> {
  const secret = newSecret();
  const now = deps.clock.now();
  await deps.database.transaction((tx) =>
    insertPasswordLink(tx, tenantId, {
      hash: hashOf(deps, secret),
      userId,
      createdAt: now,
      expiresAt: addSeconds(now, seconds),
    }),
  );
  return secret;
}

/** Does not use it up: programs that look at mails open links too. @throws IdentityError `password_link.invalid` */
export async function checkPasswordLink(deps: Deps, tenantId: string, secret: string): Promise<void> {
  const userId = await selectPasswordLink(deps.database, tenantId, hashOf(deps, secret), deps.clock.now());
  if (userId === undefined) throw new IdentityError("password_link.invalid");
}

/**
 * Gives the user of a link the password that he chose, and ends his sessions. A password that is refused leaves the
 * link as it was.
 *
 * @param check - whether the link is enough for this user.
 * @throws IdentityError `password_link.invalid`, and what `replacePassword` throws
 */
export async function redeemPasswordLink(
  deps: Deps,
  context: RequestContext,
  secret: string,
  password: string,
  check: (joined: Deps, userId: string) => Promise<void>,
): Promise<void> {
  const { tenantId } = context;
  await checkPasswordLink(deps, tenantId, secret); // or anybody could make us ask the service of breached passwords
  const asked = await askBreached(deps, tenantId, password);
  await deps.database.transaction(async (tx) => {
    const userId = await takePasswordLink(tx, tenantId, hashOf(deps, secret), deps.clock.now());
    if (userId === undefined) throw new IdentityError("password_link.invalid");
    await check(within(deps, tx), userId);
    const who: RequestContext = { ...context, actor: { type: "user", id: userId } };
    await replacePassword(within(asked, tx), who, userId, password);
  });
}

function hashOf(deps: Deps, secret: string): Buffer {
  return deps.secrets.keyedHash(secret, "password-link");
}
