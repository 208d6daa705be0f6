import type { FastifyReply } from "fastify";

/** A picture whose type is known by its own bytes. */
interface Picture {
  mediaType: string;
  bytes: Buffer;
}

/**
 * Sends what somebody has uploaded, so that it is a picture and never anything that runs: the type that was found out and
 * no other, nothing loaded, no script, no origin; as a file with a harmless name if it is saved. Pages of other origins
 * may show it.
 */
export function sendPicture(reply: FastifyReply, { mediaType, bytes }: Picture, cacheControl: string): never {
  return reply
    .headers({
      "content-type": mediaType,
      "x-content-type-options": "nosniff",
      "content-security-policy": "default-src 'none'; sandbox",
      "content-disposition": `inline; filename="picture.${mediaType.slice("image/".length)}"`,
      "cross-origin-resource-policy": "cross-origin",
      "cache-control": cacheControl,
    })
    .send(bytes) as never;
}

/** Of an address that is another one for each picture. */
export const FOR_EVER = "private, max-age=86400, immutable";
