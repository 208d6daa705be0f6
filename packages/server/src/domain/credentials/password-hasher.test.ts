import { describe, expect, it } from "vitest";
import { createPasswordHasher } from "./password-hasher.ts";

const CHEAP = { memoryKiB: 256, iterations: 2 };
const PASSWORD = "correct horse battery staple";
/** bcrypt of 72 times the letter a. */
const BCRYPT_OF_72 = "$2b$04$ohikOgIBFtJc7UZMeX7nDeMi9AADVbs7mfyLQq3nj56WBxhiDCnua";
const MD5_OF_PASSWORD = "9cc2ae8a1ba7a93da39b46fc1019c481";

describe("the password hasher", () => {
  const hasher = createPasswordHasher(CHEAP);

  it("makes an argon2id PHC string with OWASP's parameters unless told otherwise", async () => {
    expect(await createPasswordHasher().hash(PASSWORD)).toMatch(
      /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/,
    );
  });

  it("verifies what it made, and never makes the same hash twice", async () => {
    const [first, second] = [await hasher.hash(PASSWORD), await hasher.hash(PASSWORD)];
    expect(first).not.toBe(second);
    expect(await hasher.verify(first, PASSWORD)).toEqual({ ok: true, upgrade: false });
    expect(await hasher.verify(first, `${PASSWORD}.`)).toEqual({ ok: false, upgrade: false });
    expect(await hasher.verify(first, "")).toEqual({ ok: false, upgrade: false });
  });

  it("takes the same characters from any keyboard: composed, decomposed, full width", async () => {
    const stored = await hasher.hash("Crème brûlée 123");
    for (const typed of ["Crème brûlée 123".normalize("NFD"), "Crème brûlée １２３"]) {
      expect(await hasher.verify(stored, typed)).toEqual({ ok: true, upgrade: false });
    }
  });

  it("verifies an imported hash of text that was not normalised, and asks to replace it", async () => {
    const decomposed = "Crème brûlée".normalize("NFD");
    const { createHash } = await import("node:crypto");
    const stored = createHash("sha256").update(decomposed).digest("hex");
    expect(await hasher.verify(stored, decomposed)).toEqual({ ok: true, upgrade: true });
    expect(await hasher.verify(stored, "Creme brulee")).toEqual({ ok: false, upgrade: false });
  });

  it("asks to replace what is weaker than it would make, and keeps what is as strong", async () => {
    const weak = await hasher.hash(PASSWORD);
    const strong = await createPasswordHasher({ memoryKiB: 512, iterations: 2 }).hash(PASSWORD);
    const twoPasses = createPasswordHasher({ memoryKiB: 512, iterations: 2 });
    expect(await twoPasses.verify(weak, PASSWORD)).toEqual({ ok: true, upgrade: true });
    expect(await hasher.verify(strong, PASSWORD)).toEqual({ ok: true, upgrade: false });
  });

  it("asks to replace bcrypt, but not by a password of which bcrypt ignored the end", async () => {
    const whole = "a".repeat(72);
    expect(await hasher.verify(BCRYPT_OF_72, whole)).toEqual({ ok: true, upgrade: true });
    expect(await hasher.verify(BCRYPT_OF_72, `${whole}tail`)).toEqual({ ok: true, upgrade: false });
    expect(await hasher.verify(BCRYPT_OF_72, "a".repeat(71))).toEqual({ ok: false, upgrade: false });
  });

  it("refuses to hash more than 1,024 bytes, and such a password is never right", async () => {
    const long = "密".repeat(342);
    await expect(hasher.hash(long)).rejects.toMatchObject({ code: "password.too_long" });
    expect(await hasher.verify(await hasher.hash(PASSWORD), long)).toEqual({ ok: false, upgrade: false });
    await hasher.verifyNothing(long);
  });

  it("treats a damaged stored hash as a wrong password", async () => {
    for (const stored of [
      "",
      "garbage",
      "$argon2id$v=19$m=9999999,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
    ]) {
      expect(await hasher.verify(stored, PASSWORD)).toEqual({ ok: false, upgrade: false });
    }
  });

  it("stores an imported fast hash inside argon2id only, and every slow one as it came", async () => {
    const adopted = await hasher.adopt(MD5_OF_PASSWORD);
    expect(adopted).toMatch(/^wrapped\$md5\$\$argon2id\$/);
    expect(adopted).not.toContain(MD5_OF_PASSWORD);
    expect(await hasher.verify(adopted, PASSWORD)).toEqual({ ok: true, upgrade: true });
    expect(await hasher.verify(adopted, MD5_OF_PASSWORD)).toEqual({ ok: false, upgrade: false });

    const salted = await hasher.adopt("md5$seasalt$cb7f47163ccd5a2ecad27c978bffcb11");
    expect(await hasher.verify(salted, "correct horse 电池")).toEqual({ ok: true, upgrade: true });

    expect(await hasher.adopt(BCRYPT_OF_72)).toBe(BCRYPT_OF_72);
    expect(await hasher.adopt(adopted)).toBe(adopted);
    await expect(hasher.adopt(PASSWORD)).rejects.toMatchObject({ code: "credential.unsupported_hash" });
  });

  it("spends on an unknown user what it spends on a known one", async () => {
    const real = createPasswordHasher();
    const stored = await real.hash(PASSWORD);
    const time = async (work: () => Promise<unknown>) => {
      const times: number[] = [];
      for (let i = 0; i < 9; i++) {
        const before = process.cpuUsage(); // of this process alone: the machine may be busy with others
        await work();
        const { user, system } = process.cpuUsage(before);
        times.push(user + system);
      }
      return times.sort((a, b) => a - b)[0] ?? 0;
    };
    for (const typed of ["wrong password", "wrong password １"]) {
      const known = await time(() => real.verify(stored, typed));
      const unknown = await time(() => real.verifyNothing(typed));
      expect(known / unknown).toBeGreaterThan(0.6);
      expect(known / unknown).toBeLessThan(1.7);
    }
  });
});

describe("the pool of the password hasher", () => {
  it("computes only so many at a time, lets only so many wait, and refuses the rest at once", async () => {
    const hasher = createPasswordHasher({ ...CHEAP, concurrency: 2, queueLimit: 3 });
    const attempts = Array.from({ length: 8 }, () => hasher.hash(PASSWORD));
    expect(hasher.stats()).toEqual({ running: 2, queued: 3, completed: 0, refused: 3 });

    const outcomes = await Promise.allSettled(attempts);
    const refusals = outcomes.filter((outcome) => outcome.status === "rejected");
    expect(refusals).toHaveLength(3);
    for (const { reason } of refusals)
      expect(reason).toMatchObject({ code: "credential.busy", retryAfter: 1 });
    expect(hasher.stats()).toEqual({ running: 0, queued: 0, completed: 5, refused: 3 });
  });

  it("frees the place of a computation that failed", async () => {
    const hasher = createPasswordHasher({ memoryKiB: 1, concurrency: 1, queueLimit: 1 });
    await expect(hasher.hash(PASSWORD)).rejects.toThrow();
    expect(hasher.stats()).toMatchObject({ running: 0, queued: 0, completed: 1 });
  });

  it("stays below the thread pool however many are asked for", () => {
    const hasher = createPasswordHasher({ ...CHEAP, concurrency: 100, queueLimit: 1_000 });
    const attempts = Array.from({ length: 50 }, () => hasher.verifyNothing(PASSWORD));
    expect(hasher.stats().running).toBeLessThan(Number(process.env.UV_THREADPOOL_SIZE ?? 4));
    return Promise.all(attempts);
  });
});
