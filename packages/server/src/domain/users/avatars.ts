import { IdentityError } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { newSecret } from "../../kernel/identifiers.ts";
import { checkPermission } from "../access/index.ts";
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

/**
 * Gives a user a picture, or takes it away; the one before is gone. His own always, another's with `user:write`. The
 * profile's `picture` follows.
 *
 * @param addressOf - where the picture with an id is to be had.
 * @throws IdentityError `permission.denied`, `user.not_found`, `avatar.invalid`, `avatar.too_large`
 */
export async function setAvatar(
  deps: Deps,
  context: RequestContext,
  userId: string,
  bytes: Buffer | null,
  options: { limits: AvatarLimits; addressOf: (id: string) => string },
): Promise<void> {
  const isOwn = context.actor.type === "user" && context.actor.id === userId;
  if (!isOwn) checkPermission(context, "user:write");
  const picture = bytes && checkPicture(bytes, options.limits);
  const { tenantId } = context;
  const now = deps.clock.now();
  await deps.database.transaction(async (tx) => {
    const user = await lockUser(tx, tenantId, userId);
    if (!user) throw new IdentityError("user.not_found");
    const { picture: _before, ...profile } = user.profile;
    if (bytes && picture) {
      const before = await selectAvatarOfUser(tx, tenantId, userId);
      if (before?.bytes.equals(bytes)) return;
      const id = newSecret(16);
      await writeAvatar(tx, tenantId, userId, { id, mediaType: picture.mediaType, bytes }, now);
      await updateUserRow(
        tx,
        tenantId,
        userId,
        { ...user, profile: { ...profile, picture: options.addressOf(id) } },
        now,
      );
    } else {
      if (!(await deleteAvatar(tx, tenantId, userId))) return;
      await updateUserRow(tx, tenantId, userId, { ...user, profile }, now);
    }
    await recordEvent(
      deps,
      tx,
      context,
      { type: "user.updated", target: { type: "user", id: userId }, data: { fields: ["avatar"] } },
      [`user:${userId}`],
    );
  });
}

export async function findAvatarOfUser(deps: Deps, tenantId: string, userId: string): Promise<Avatar | null> {
  return (await selectAvatarOfUser(deps.database, tenantId, userId)) ?? null;
}

/** By the id in its address, which is as good as a secret. @throws IdentityError `avatar.not_found` */
export async function getAvatar(deps: Deps, tenantId: string, id: string): Promise<Avatar> {
  const avatar = await selectAvatar(deps.database, tenantId, id);
  if (!avatar) throw new IdentityError("avatar.not_found");
  return avatar;
}
