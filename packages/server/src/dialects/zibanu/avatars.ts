import type { Tenant } from "@ostiary/contracts";
import type { Deps } from "../../domain/deps.ts";
import { type Avatar, findAvatarOfUser, setAvatar, setOwnAvatar } from "../../domain/users/index.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { addressOf } from "./calls.ts";
import { toDataUrl } from "./translate.ts";

/** A user's picture as the tenant shows pictures; "" when there is none. */
export async function avatarText(deps: Deps, tenant: Tenant, userId: string): Promise<string> {
  const avatar = await findAvatarOfUser(deps, tenant.id, userId);
  return avatar ? shown(deps, tenant, avatar) : "";
}

function shown(deps: Deps, tenant: Tenant, avatar: Avatar): string {
  return tenant.settings.zibanu.avatarFormat === "url"
    ? avatarAddress(deps, tenant, avatar.id)
    : toDataUrl(avatar);
}

function avatarAddress(deps: Deps, tenant: Tenant, id: string): string {
  return addressOf(deps, tenant, `/avatars/${id}`);
}

/** @param avatar - null takes it away. */
export async function saveAvatar(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  userId: string,
  avatar: Buffer | null,
): Promise<void> {
  const { avatarBytes, avatarPixels } = tenant.settings.zibanu;
  const options = {
    limits: { bytes: avatarBytes, pixels: avatarPixels },
    addressOf: (id: string) => avatarAddress(deps, tenant, id),
  };
  const isOwn = context.actor.type === "user" && context.actor.id === userId;
  if (isOwn) await setOwnAvatar(deps, context, avatar, options);
  else await setAvatar(deps, context, userId, avatar, options);
}
