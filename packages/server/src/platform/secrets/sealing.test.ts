import { createHmac, hkdfSync, randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createKeyedHasher, createSealer, createSecrets, UnsealError } from "./sealing.ts";

const current = randomBytes(32);

describe("sealing", () => {
  const sealer = createSealer({ current });

  it("gives back any bytes under the same associated data, and hides them", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 500 }),
        fc.string({ unit: "grapheme" }),
        (plaintext, associatedData) => {
          const sealed = sealer.seal(plaintext, associatedData);
          expect(sealed).toHaveLength(plaintext.length + 33);
          expect(sealer.unseal(sealed, associatedData)).toEqual(Buffer.from(plaintext));
          if (plaintext.length > 8) expect(sealed.includes(Buffer.from(plaintext))).toBe(false);
        },
      ),
    );
  });

  it("never seals the same text to the same bytes", () => {
    expect(sealer.seal("seed", "totp")).not.toEqual(sealer.seal("seed", "totp"));
  });

  it("opens nothing of which any one bit was changed", () => {
    const sealed = sealer.seal("webhook secret", "webhook:1");
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(() => sealer.unseal(changed, "webhook:1")).toThrow(UnsealError);
    }
  });

  it("opens nothing that was cut or lengthened", () => {
    const sealed = sealer.seal("webhook secret", "webhook:1");
    for (let length = 0; length < sealed.length; length++) {
      expect(() => sealer.unseal(sealed.subarray(0, length), "webhook:1")).toThrow(UnsealError);
    }
    expect(() => sealer.unseal(Buffer.concat([sealed, Buffer.alloc(1)]), "webhook:1")).toThrow(UnsealError);
  });

  it("opens nothing that was sealed for something else", () => {
    expect(() => sealer.unseal(sealer.seal("seed", "totp:user-1"), "totp:user-2")).toThrow(UnsealError);
  });

  it("opens what a previous key sealed, and says that it should be sealed anew", () => {
    const next = createSealer({ current: randomBytes(32), previous: [randomBytes(32), current] });
    const old = sealer.seal("seed", "totp");
    expect(sealer.needsResealing(old)).toBe(false);
    expect(next.needsResealing(old)).toBe(true);
    expect(next.unseal(old, "totp").toString()).toBe("seed");
    const renewed = next.seal(next.unseal(old, "totp"), "totp");
    expect(next.needsResealing(renewed)).toBe(false);
    expect(() => sealer.unseal(renewed, "totp")).toThrow("unknown master key");
  });

  it("reads part of a larger buffer, as the database driver hands it out", () => {
    const sealed = sealer.seal("seed", "totp");
    const larger = Buffer.concat([randomBytes(7), sealed, randomBytes(9)]);
    expect(sealer.unseal(larger.subarray(7, 7 + sealed.length), "totp").toString()).toBe("seed");
  });

  it("takes keys of 32 bytes only", () => {
    expect(() => createSealer({ current: randomBytes(16) })).toThrow("32 bytes");
    expect(() => createKeyedHasher(Buffer.alloc(0))).toThrow("32 bytes");
  });
});

describe("a keyed hash", () => {
  const hashKey = Buffer.alloc(32, 7);
  const keyedHash = createKeyedHasher(hashKey);

  it("is HMAC-SHA256 under a key derived for the purpose", () => {
    const key = Buffer.from(hkdfSync("sha256", hashKey, "", "ostiary keyed hash v1 api-key", 32));
    for (const text of ["ak_1", "", "密码 é", "x".repeat(10_000)])
      expect(keyedHash(text, "api-key")).toEqual(createHmac("sha256", key).update(text).digest());
  });

  it("is the same every time, and different for another text, purpose or installation", () => {
    const hash = keyedHash("ak_1", "api-key");
    expect(keyedHash("ak_1", "api-key")).toEqual(hash);
    expect(keyedHash("ak_2", "api-key")).not.toEqual(hash);
    expect(keyedHash("ak_1", "refresh-token")).not.toEqual(hash);
    expect(createKeyedHasher(randomBytes(32))("ak_1", "api-key")).not.toEqual(hash);
  });
});

describe("the secrets of the domain", () => {
  it("survive a change of the master key: what was sealed opens, what was hashed is found", () => {
    const hashKey = randomBytes(32);
    const before = createSecrets({ sealer: createSealer({ current }), hashKey });
    const after = createSecrets({
      sealer: createSealer({ current: randomBytes(32), previous: [current] }),
      hashKey,
    });
    expect(after.unseal(before.seal("种子", "totp"), "totp")).toBe("种子");
    expect(after.keyedHash("ak_1", "api-key")).toEqual(before.keyedHash("ak_1", "api-key"));
  });
});
