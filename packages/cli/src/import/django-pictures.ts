import { open, realpath } from "node:fs/promises";
import { join, sep } from "node:path";
import type { User } from "@ostiary/contracts";
import type { Client } from "../client.ts";
import { Failure } from "../failure.ts";
import type { DjangoUser } from "./django-data.ts";
import type { Refusal } from "./import-users.ts";

/** Bytes: the most that any tenant takes. */
const MOST = 1_048_576;

/** The file's name below MEDIA_ROOT; undefined for who has no picture. */
function pictureOf({ profile }: DjangoUser): string | undefined {
  const name = profile?.["avatar"];
  return typeof name === "string" && name !== "" ? name : undefined;
}

/**
 * Gives users the pictures of their profiles. Who has one here keeps it, so a repetition changes nothing.
 *
 * @param media - the project's MEDIA_ROOT; undefined: none is taken.
 * @returns how many were given, and why others were not.
 */
export async function importPictures(
  client: Client,
  users: readonly DjangoUser[],
  ids: ReadonlyMap<string, string>,
  { media, progress }: { media: string | undefined; progress(done: number, all: number): void },
): Promise<{ given: number; skipped: Refusal[] }> {
  const pictured = users.filter((user) => pictureOf(user) !== undefined);
  const skipped: Refusal[] = [];
  let given = 0;
  for (const [index, user] of pictured.entries()) {
    const id = ids.get(`django:${user.id}`);
    if (id !== undefined) {
      const outcome = await give(client, id, media, pictureOf(user) ?? "");
      if (outcome === "given") given++;
      else if (outcome !== "has one") {
        skipped.push({ row: user.id, username: user.username, reason: `picture: ${outcome}` });
      }
    }
    progress(index + 1, pictured.length);
  }
  return { given, skipped };
}

async function give(client: Client, id: string, media: string | undefined, name: string): Promise<string> {
  if (media === undefined) return "say with --media where the project's files are";
  if ((await client.call<User>("GET", `/users/${id}`)).profile.picture) return "has one";
  const bytes = await readBelow(media, name);
  if (typeof bytes === "string") return bytes;
  try {
    await client.put(`/users/${id}/avatar`, bytes, "image/png"); // the server looks what it is
    return "given";
  } catch (error) {
    if (error instanceof Failure) return error.message.replaceAll(/\s+/g, " ");
    throw error;
  }
}

/** A file of the folder, or why it cannot be had. A name is what a database says, so it must not lead elsewhere. */
async function readBelow(folder: string, name: string): Promise<Buffer<ArrayBuffer> | string> {
  try {
    const root = await realpath(folder);
    const path = await realpath(join(root, name));
    if (!path.startsWith(root + sep)) return `${name} is outside of the folder`;
    await using file = await open(path);
    const { size } = await file.stat();
    return size > MOST ? `${name} has more than ${MOST} bytes` : await file.readFile();
  } catch {
    return `${name} cannot be read`;
  }
}
