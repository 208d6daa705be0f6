import type { Tenant } from "@ostiary/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aDatabase, type TestDatabase } from "../../testing/a-database.ts";
import { contextOf, testDeps } from "../../testing/test-deps.ts";
import type { Deps } from "../deps.ts";
import { ensureDefaultTenant } from "../tenants/index.ts";
import { createUser, deleteUser, findAvatarOfUser, findUser, getAvatar, setAvatar } from "./index.ts";
import { readPicture } from "./picture.ts";

const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP4z8AARAwQCgAf7gP9i18U1AAAAABJRU5ErkJggg==",
  "base64",
);
const GIF = Buffer.from("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7", "base64");
const WEBP = Buffer.from("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==", "base64");
/** A JPEG's segments: APP0, then the frame header of a 3 × 2 picture, then the end. */
const JPEG = Buffer.from("ffd8ffe000104a46494600010100000100010000ffc0000b080002000301011100ffd9", "hex");

const LIMITS = { bytes: 1_000, pixels: 100 };
const options = { limits: LIMITS, addressOf: (id: string) => `https://id.example/avatars/${id}` };
const coded = (code: string) => expect.objectContaining({ code });
let test: TestDatabase;
let deps: Deps;
let tenant: Tenant;
let admin: ReturnType<typeof contextOf>;

beforeAll(async () => {
  test = await aDatabase();
  deps = testDeps(test.database);
  tenant = await ensureDefaultTenant(deps);
  admin = contextOf(tenant.id);
});
afterAll(() => test[Symbol.asyncDispose]());

describe("a picture", () => {
  it("is what its bytes say", () => {
    expect(readPicture(PNG)).toEqual({ mediaType: "image/png", width: 2, height: 2, complete: true });
    expect(readPicture(GIF)).toEqual({ mediaType: "image/gif", width: 1, height: 1, complete: true });
    expect(readPicture(WEBP)).toEqual({ mediaType: "image/webp", width: 1, height: 1, complete: true });
    expect(readPicture(JPEG)).toEqual({ mediaType: "image/jpeg", width: 3, height: 2, complete: true });
  });

  it("is never something that is cut off, however short, and never a script", () => {
    for (const whole of [PNG, GIF, WEBP, JPEG]) {
      for (let length = 0; length < whole.length; length++) {
        expect(readPicture(whole.subarray(0, length))?.complete ?? false).toBe(false);
      }
    }
    for (const text of ["<svg onload=alert(1)>", "BM6", "<?xml", "hello", "GIF89a<script>"]) {
      expect(readPicture(Buffer.from(text))?.complete ?? false).toBe(false);
    }
  });
});

describe("an avatar", () => {
  it("replaces the one before, is the profile's picture, and goes with its user", async () => {
    const user = await createUser(deps, admin, { username: "pictured" });
    await setAvatar(deps, admin, user.id, PNG, options);
    const first = await findAvatarOfUser(deps, tenant.id, user.id);
    expect(first?.bytes.equals(PNG)).toBe(true);
    await setAvatar(deps, admin, user.id, PNG, options);
    expect((await findAvatarOfUser(deps, tenant.id, user.id))?.id).toBe(first?.id);
    await setAvatar(deps, admin, user.id, GIF, options);
    const second = await findAvatarOfUser(deps, tenant.id, user.id);
    expect((await findUser(deps, tenant.id, user.id))?.profile.picture).toBe(
      `https://id.example/avatars/${second?.id}`,
    );
    await expect(getAvatar(deps, tenant.id, first?.id ?? "")).rejects.toThrow(coded("avatar.not_found"));
    await setAvatar(deps, admin, user.id, null, options);
    expect((await findUser(deps, tenant.id, user.id))?.profile.picture).toBeUndefined();
    await setAvatar(deps, admin, user.id, PNG, options);
    await deleteUser(deps, admin, user.id);
    expect(await findAvatarOfUser(deps, tenant.id, user.id)).toBeNull();
  });

  it("is refused when it is too large, no picture, or somebody else's", async () => {
    const user = await createUser(deps, admin, { username: "unpictured" });
    const set = (bytes: Buffer, limits = LIMITS, context = admin) =>
      setAvatar(deps, context, user.id, bytes, { ...options, limits });
    await expect(set(PNG, { bytes: 10, pixels: 100 })).rejects.toThrow(coded("avatar.too_large"));
    await expect(set(PNG, { bytes: 1_000, pixels: 1 })).rejects.toThrow(coded("avatar.too_large"));
    await expect(set(PNG.subarray(0, 40))).rejects.toThrow(coded("avatar.invalid"));
    await expect(set(Buffer.from("<svg/>"))).rejects.toThrow(coded("avatar.invalid"));
    const stranger = contextOf(tenant.id, { actor: { type: "user", id: "x" }, permissions: new Set() });
    await expect(set(PNG, LIMITS, stranger)).rejects.toThrow(coded("permission.denied"));
  });
});
