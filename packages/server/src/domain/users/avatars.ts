import { IdentityError, type UserAvatar } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { newSecret } from "../../kernel/identifiers.ts";
import { checkPermissionIn } from "../access/index.ts";
import { recordEvent } from "../audit/index.ts";
import type { Deps } from "../deps.ts";
import { type Avatar, deleteAvatar, selectAvatar, selectAvatarOfUser, writeAvatar } from "./avatar.store.ts";
import { type Picture, readPicture } from "./picture.ts";
import { lockUser, updateUserRow } from "./user.store.ts";

export type { Avatar };

export interface AvatarLimits {
  bytes: number;
  /** Of width and height each. */
  pixels: number;
}

/** @throws IdentityError `avatar.invalid`, `avatar.too_large` */
export function checkPicture(bytes: Buffer, limits: AvatarLimits): Picture {
  if (bytes.length > limits.bytes) throw new IdentityError("avatar.too_large", { reason: "bytes" });
  const picture = readPicture(bytes);
  if (!picture?.complete || picture.width === 0 || picture.height === 0) {
    throw new IdentityError("avatar.invalid", { reason: picture ? "incomplete" : "unknown format" });
  }
  if (Math.max(picture.width, picture.height) > limits.pixels) {
    throw new IdentityError("avatar.too_large", { reason: "pixels" });
  }
  return picture;
}

export interface AvatarOptions {
  limits: AvatarLimits;
  /** Where the picture with an id is to be had. */
  addressOf: (id: string) => string;
}

/**
 * Gives a user a picture, or takes it away; the one before is gone. The profile's `picture` follows.
 *
 * @returns the picture, or null without one.
 * @throws IdentityError `permission.denied`, `user.not_found`, `avatar.invalid`, `avatar.too_large`
 */
export async function setAvatar(
  deps: Deps,
  context: RequestContext,
  userId: string,
  bytes: Buffer | null,
  options: AvatarOptions,
): Promise<UserAvatar | null> {
  await checkPermissionIn(deps, context, "user:write", { userId });
  return putAvatar(deps, context, userId, bytes, options);
}

/** The signed-in user's own. @throws IdentityError `authentication.required`, and what `setAvatar` throws */
export async function setOwnAvatar(
  deps: Deps,
  context: RequestContext,
  bytes: Buffer | null,
  options: AvatarOptions,
): Promise<UserAvatar | null> {
  const { type, id } = context.actor;
  if (type !== "user" || id === null) throw new IdentityError("authentication.required");
  return putAvatar(deps, context, id, bytes, options);
}

async function putAvatar(
  deps: Deps,
  context: RequestContext,
  userId: string,
  bytes: Buffer | null,
  { limits, addressOf }: AvatarOptions,
): Promise<UserAvatar | null> {
  const picture = bytes && checkPicture(bytes, limits);
  const { tenantId } = context;
  const now = deps.clock.now();
  return deps.database.transaction(async (tx) => {
    const user = await lockUser(tx, tenantId, userId);
    if (!user) throw new IdentityError("user.not_found");
    const { picture: _before, ...profile } = user.profile;
    let info: UserAvatar | null = null;
    if (bytes && picture) {
      const before = await selectAvatarOfUser(tx, tenantId, userId);
      const isSame = before?.bytes.equals(bytes) === true;
      const id = isSame ? before.id : newSecret(16);
      const { mediaType } = picture;
      info = { picture: addressOf(id), mediaType, size: bytes.length };
      if (isSame) return info;
      await writeAvatar(tx, tenantId, userId, { id, mediaType, bytes }, now);
    } else if (!(await deleteAvatar(tx, tenantId, userId))) return null;
    const next = info ? { ...profile, picture: info.picture } : profile;
    await updateUserRow(tx, tenantId, userId, { ...user, profile: next }, now);
    await recordEvent(
      deps,
      tx,
      context,
      { type: "user.updated", target: { type: "user", id: userId }, data: { fields: ["avatar"] } },
      [`user:${userId}`],
    );
    return info;
  });
}

/** @throws IdentityError `permission.denied`, `avatar.not_found` (also when there is no such user) */
export async function readAvatar(deps: Deps, context: RequestContext, userId: string): Promise<Avatar> {
  await checkPermissionIn(deps, context, "user:read", { userId });
  return present(await findAvatarOfUser(deps, context.tenantId, userId));
}

/** The signed-in user's own. @throws IdentityError `authentication.required`, `avatar.not_found` */
export async function readOwnAvatar(deps: Deps, context: RequestContext): Promise<Avatar> {
  const { type, id } = context.actor;
  if (type !== "user" || id === null) throw new IdentityError("authentication.required");
  return present(await findAvatarOfUser(deps, context.tenantId, id));
}

function present(avatar: Avatar | null | undefined): Avatar {
  if (!avatar) throw new IdentityError("avatar.not_found");
  return avatar;
}

export async function findAvatarOfUser(deps: Deps, tenantId: string, userId: string): Promise<Avatar | null> {
  return (await selectAvatarOfUser(deps.database, tenantId, userId)) ?? null;
}

/** By the id in its address, which is as good as a secret. @throws IdentityError `avatar.not_found` */
export async function getAvatar(deps: Deps, tenantId: string, id: string): Promise<Avatar> {
  return present(await selectAvatar(deps.database, tenantId, id));
}
