import { createHash, pbkdf2Sync } from "node:crypto";
import type { Tenant } from "@ostiary/contracts";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createRateLimits } from "../../platform/limits/index.ts";
import { aDatabase, type TestDatabase } from "../../testing/a-database.ts";
import { frozenClock } from "../../testing/frozen-clock.ts";
import { contextOf, QUIET, testDeps } from "../../testing/test-deps.ts";
import { refusal } from "../../testing/two-tenants.ts";
import { createRole } from "../access/index.ts";
import type { Deps } from "../deps.ts";
import { finishOutgoing } from "../outgoing/index.ts";
import { createSession, findSession } from "../sessions/index.ts";
import { createTenant, ensureDefaultTenant, findTenantById, updateSettings } from "../tenants/index.ts";
import { createUser, deleteUser, suspendUser } from "../users/index.ts";
import {
  changePassword,
  checkPassword,
  forgetFailures,
  hasPassword,
  passwordAccount,
  passwordState,
  setPassword,
} from "./index.ts";

const clock = frozenClock();
const PASSWORD = "correct horse battery staple";

let test: TestDatabase;
let deps: Deps;
let tenant: Tenant;
let admin: ReturnType<typeof contextOf>;
/** Each test comes from an address of its own. */
let visitor: ReturnType<typeof contextOf>;

beforeAll(async () => {
  test = await aDatabase();
  deps = testDeps(test.database, {
    clock,
    limits: createRateLimits({ kind: "memory", database: test.database, clock, log: QUIET }),
  });
  tenant = await ensureDefaultTenant(deps);
  admin = contextOf(tenant.id);
});
afterAll(() => test[Symbol.asyncDispose]());

let count = 0;
beforeEach(() => {
  visitor = contextOf(tenant.id, {
    actor: { type: "anonymous", id: null },
    permissions: new Set(),
    ip: `192.0.2.${++count}`,
  });
});
const aUser = (input: Parameters<typeof createUser>[2] = {}) =>
  createUser(deps, admin, { username: `user${++count}`, password: { plain: PASSWORD }, ...input });
const check = (identifier: string, password: string) =>
  checkPassword(deps, visitor, tenant, identifier, password);
const code = (expected: string) => expect.objectContaining({ code: expected });
const events = (type: string, userId: string) =>
  deps.database.query<{ reason: string | null; data: object }>(
    "select reason, data from events where type = $1 and target_id = $2",
    [type, userId],
  );

describe("checking a password", () => {
  it("accepts the right one under every identifier", async () => {
    const user = await aUser({ email: "Check@example.com", phone: "13700001111" });
    for (const typed of [user.username ?? "", "check@EXAMPLE.com", "137-0000-1111"]) {
      expect(await check(typed, PASSWORD)).toEqual({ userId: user.id });
    }
  });

  it("answers a wrong password, an unknown name and an account without password alike", async () => {
    const user = await aUser();
    const passwordless = await createUser(deps, admin, { username: "passwordless" });
    const messages = new Set<string>();
    for (const name of [
      user.username ?? "",
      "no such user",
      "passwordless",
      "",
      "null\0",
      "x".repeat(5_000),
    ]) {
      const failure = await check(name, "wrong password").catch((error: Error) => error);
      expect(failure).toMatchObject({ code: "credential.rejected" });
      messages.add((failure as Error).message);
    }
    expect(messages.size).toBe(1);
    expect(await events("user.login_refused", user.id)).toEqual([{ reason: "wrong password", data: {} }]);
    expect(await events("user.login_refused", passwordless.id)).toEqual([
      { reason: "no password", data: {} },
    ]);
  });

  it("does the same work for an unknown name as for a known one", async () => {
    let verified = 0;
    const counting: Deps = {
      ...deps,
      hasher: {
        ...deps.hasher,
        verify: (...args) => {
          verified++;
          return deps.hasher.verify(...args);
        },
        verifyNothing: (...args) => {
          verified++;
          return deps.hasher.verifyNothing(...args);
        },
      },
    };
    const user = await aUser();
    for (const name of [user.username ?? "", "no such user either"]) {
      verified = 0;
      await checkPassword(counting, visitor, tenant, name, "wrong password").catch(() => {});
      expect(verified).toBe(1);
    }
  });

  it("takes as long for unknown names as for the tenant's users where other systems have made hashes", async () => {
    const other = await createTenant(deps, admin, { slug: "imported", name: "Imported" });
    const context = contextOf(other.id);
    const salt = "seasaltseasalt12";
    const slow = `pbkdf2_sha256$1000$${salt}$${pbkdf2Sync("x", salt, 1_000, 32, "sha256").toString("base64")}`;
    for (let i = 0; i < 20; i++) {
      const password = i < 15 ? { hash: slow } : { plain: PASSWORD };
      await createUser(deps, context, { username: `imported${i}`, password });
    }
    const costs = async (name: string) => {
      let foreign = false;
      const verify: Deps["hasher"]["verify"] = async (stored) => {
        foreign = stored === slow;
        return { ok: true, upgrade: false };
      };
      const watched = { ...deps, hasher: { ...deps.hasher, verify, verifyNothing: async () => {} } };
      const where = { ...visitor, ip: null, tenantId: other.id };
      expect(await refusal(checkPassword(watched, where, other, name, "wrong password"))).toBe(
        "credential.rejected",
      );
      return foreign;
    };
    const names = Array.from({ length: 200 }, (_, i) => `nobody${i}@example.com`);
    const drawn = await Promise.all(names.map(costs));
    const share = drawn.filter(Boolean).length / names.length;
    expect(share).toBeGreaterThan(0.6);
    expect(share).toBeLessThan(0.9);
    const spelled = names.map((name) => ` ${name.toUpperCase()}`);
    expect(await Promise.all(spelled.map(costs))).toEqual(drawn);
    expect(await Promise.all(names.map((name) => costs(`${name}\0`)))).toEqual(drawn);
  });

  it("tells that an account is suspended only to who knows the password", async () => {
    const user = await aUser();
    await suspendUser(deps, admin, user.id);
    await expect(check(user.username ?? "", "wrong password")).rejects.toThrow(code("credential.rejected"));
    await expect(check(user.username ?? "", PASSWORD)).rejects.toThrow(code("user.suspended"));
    await deleteUser(deps, admin, user.id);
    await expect(check(user.username ?? "", PASSWORD)).rejects.toThrow(code("credential.rejected"));
  });

  it("replaces a hash from elsewhere by ours, once, when eight sign in at the same moment", async () => {
    const sha1 = createHash("sha1").update(PASSWORD).digest("hex");
    const user = await aUser({ password: { hash: sha1 } });
    const hash = async () =>
      (
        await deps.database.query<{ hash: string }>("select hash from passwords where user_id = $1", [
          user.id,
        ])
      )[0]?.hash;
    expect(await hash()).not.toContain(sha1);
    await Promise.all(Array.from({ length: 8 }, () => check(user.username ?? "", PASSWORD)));
    expect(await hash()).toMatch(/^\$argon2id\$/);
    expect(await events("password.upgraded", user.id)).toHaveLength(1);
    expect(await check(user.username ?? "", PASSWORD)).toMatchObject({ userId: user.id });
  });

  it("does not find the user of another tenant", async () => {
    const user = await aUser();
    const elsewhere = { id: "f".repeat(24), settings: tenant.settings };
    await expect(checkPassword(deps, visitor, elsewhere, user.username ?? "", PASSWORD)).rejects.toThrow(
      code("credential.rejected"),
    );
  });
});

describe("the lock-out", () => {
  it("closes an account after ten failures, for its window, known or not", async () => {
    const user = await aUser();
    for (const name of [user.username ?? "", "nobody-here"]) {
      for (let i = 0; i < 10; i++) {
        await expect(check(i % 2 ? name : name.toUpperCase(), "wrong")).rejects.toThrow(
          code("credential.rejected"),
        );
      }
      const failure = await check(name, PASSWORD).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: "credential.locked", retryAfter: 900 });
    }
    expect(await events("user.locked", user.id)).toHaveLength(1);
    clock.advance(901);
    expect(await check(user.username ?? "", PASSWORD)).toMatchObject({ userId: user.id });
  });

  it("is twice as long each time, up to an hour, until the right password was given", async () => {
    const user = await aUser();
    const name = user.username ?? "";
    const lock = async () => {
      for (let i = 0; i < 10; i++) await check(name, "wrong").catch(() => {});
      const failure = await check(name, PASSWORD).catch((error: unknown) => error);
      const { retryAfter } = failure as { retryAfter: number };
      clock.advance(retryAfter);
      return retryAfter;
    };
    expect([await lock(), await lock(), await lock(), await lock()]).toEqual([900, 1_800, 3_600, 3_600]);
    await check(name, PASSWORD);
    expect(await lock()).toBe(900);
  });

  it("is told to the person, once for each lock, and to nobody when there is nobody", async () => {
    const user = await aUser({ email: `told-${Date.now()}@example.com`, emailVerified: true });
    for (const name of [user.username ?? "", "nobody-at-all"]) {
      for (let i = 0; i < 12; i++) await check(name, "wrong").catch(() => {});
    }
    await vi.waitFor(async () => {
      await finishOutgoing(deps);
      const { sent } = deps.sender as unknown as { sent: { to: string; subject: string }[] };
      expect(sent.filter(({ subject }) => subject.includes("locked"))).toMatchObject([{ to: user.email }]);
    });
  });

  it("can be lifted, with all that was counted", async () => {
    const user = await aUser();
    const name = user.username ?? "";
    for (let i = 0; i < 10; i++) await check(name, "wrong").catch(() => {});
    await forgetFailures(deps, tenant, passwordAccount(user.id));
    expect(await check(name, PASSWORD)).toMatchObject({ userId: user.id });
  });

  it("forgets the failures after a success", async () => {
    const user = await aUser();
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 9; i++) await check(user.username ?? "", "wrong").catch(() => {});
      await check(user.username ?? "", PASSWORD);
    }
  });

  it("lets a burst of fifty guesses try hardly more than ten", async () => {
    const user = await aUser();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 50 }, (_, i) => check(user.username ?? "", `guess ${i}`)),
    );
    const codes = outcomes.map((outcome) => (outcome.status === "rejected" ? outcome.reason.code : "let in"));
    expect(codes.filter((c) => c === "credential.rejected").length).toBeLessThan(14);
    expect(codes.filter((c) => c === "credential.locked").length).toBeGreaterThan(36);
  });

  it("locks nobody out who is right forty times at once", async () => {
    const user = await aUser();
    await Promise.all(Array.from({ length: 40 }, () => check(user.username ?? "", PASSWORD)));
  });

  it("stops an address that tries many accounts, and counts failures only", async () => {
    const user = await aUser();
    for (let i = 0; i < 200; i++) await check(`spray-${i}`, "wrong").catch(() => {});
    await expect(check(user.username ?? "", PASSWORD)).rejects.toThrow(code("credential.locked"));
    const elsewhere = { ...visitor, ip: "198.51.100.1" };
    expect(await checkPassword(deps, elsewhere, tenant, user.username ?? "", PASSWORD)).toMatchObject({
      userId: user.id,
    });
  });
});

describe("a network of IPv6", () => {
  it("is one address, whatever the guesser's next one is", async () => {
    const user = await aUser();
    for (let i = 0; i < 200; i++) {
      const other = { ...visitor, ip: `2001:db8:5:6:${i.toString(16)}::${i.toString(16)}` };
      await checkPassword(deps, other, tenant, `spray6-${i}`, "wrong").catch(() => {});
    }
    const from = (ip: string) =>
      checkPassword(deps, { ...visitor, ip }, tenant, user.username ?? "", PASSWORD);
    await expect(from("2001:db8:5:6:ffff::1")).rejects.toThrow(code("credential.locked"));
    expect(await from("2001:db8:5:7::1")).toMatchObject({ userId: user.id });
  });
});

describe("a changed password", () => {
  it("is told to the person, but a first one and one that another system has changed are not", async () => {
    const email = "changed@example.com";
    const user = await aUser({ email, emailVerified: true });
    await setPassword(deps, admin, user.id, { plain: "another good password" });
    const hash = `{SHA}${createHash("sha1").update("x").digest("base64")}`;
    await setPassword(deps, admin, user.id, { hash }).catch(() => {});
    await finishOutgoing(deps);
    const { sent } = deps.sender as unknown as { sent: { to: string; subject: string }[] };
    expect(sent.filter(({ to }) => to === email)).toMatchObject([
      { subject: expect.stringContaining("was changed") },
    ]);
  });
});

describe("setting a password", () => {
  it("checks the policy, ends the sessions and can ask for another one", async () => {
    const user = await aUser();
    const { session } = await createSession(deps, admin, { userId: user.id, amr: ["pwd"] });
    await expect(setPassword(deps, admin, user.id, { plain: "short" })).rejects.toThrow(
      code("password.too_short"),
    );
    await expect(setPassword(deps, admin, user.id, { plain: `${user.username}-is-me` })).rejects.toThrow(
      code("password.contains_identifier"),
    );
    await expect(setPassword(deps, admin, user.id, { hash: "plain text" })).rejects.toThrow(
      code("credential.unsupported_hash"),
    );
    await setPassword(deps, admin, user.id, { plain: "another good password" }, { mustChange: true });
    await expect(check(user.username ?? "", PASSWORD)).rejects.toThrow(code("credential.rejected"));
    expect(await passwordState(deps, tenant.id, user.id)).toEqual({
      mustChange: true,
      changedAt: deps.clock.now(),
    });
    expect(await findSession(deps, tenant.id, session.id)).toBeNull();
  });

  it("needs the rights of the user", async () => {
    const role = await createRole(deps, admin, { code: "strong", permissions: ["audit:read"] });
    const strong = await aUser({ roles: [role.code] });
    const clerk = contextOf(tenant.id, { permissions: new Set(["user:write"]) });
    await expect(setPassword(deps, clerk, strong.id, { plain: PASSWORD })).rejects.toThrow(
      code("permission.escalation"),
    );
    await expect(setPassword(deps, visitor, strong.id, { plain: PASSWORD })).rejects.toThrow(
      code("permission.denied"),
    );
    await expect(setPassword(deps, admin, "0".repeat(24), { plain: PASSWORD })).rejects.toThrow(
      code("user.not_found"),
    );
  });

  it("refuses as many earlier ones as the tenant says, and those known from breaches", async () => {
    await updateSettings(deps, admin, { passwordPolicy: { historyLength: 2, checkBreached: true } });
    const checking: Deps = {
      ...deps,
      breachedPasswords: { isBreached: async (p) => p === "hunter2hunter2" },
    };
    const user = await aUser();
    const set = (plain: string) => setPassword(checking, admin, user.id, { plain });
    await expect(set("hunter2hunter2")).rejects.toThrow(code("password.breached"));
    await set("second password");
    await expect(set(PASSWORD)).rejects.toThrow(code("password.reused"));
    await expect(set("second password")).rejects.toThrow(code("password.reused"));
    await set("third password");
    await set(PASSWORD);
    await updateSettings(deps, admin, { passwordPolicy: { historyLength: 0, checkBreached: false } });
    expect((await findTenantById(deps, tenant.id))?.settings.passwordPolicy.historyLength).toBe(0);
  });
});

describe("changing one's own password", () => {
  it("needs the present one, keeps this session and ends the others", async () => {
    const user = await aUser();
    const self = contextOf(tenant.id, { actor: { type: "user", id: user.id }, permissions: new Set() });
    const [here, there] = await Promise.all(
      [1, 2].map(() => createSession(deps, self, { userId: user.id, amr: ["pwd"] })),
    );
    await expect(changePassword(deps, self, user.id, "wrong", "a new password")).rejects.toThrow(
      code("credential.rejected"),
    );
    await changePassword(deps, self, user.id, PASSWORD, "a new password", {
      keepSessionId: here?.session.id,
    });
    expect(await findSession(deps, tenant.id, here?.session.id ?? "")).not.toBeNull();
    expect(await findSession(deps, tenant.id, there?.session.id ?? "")).toBeNull();
    expect(await check(user.username ?? "", "a new password")).toMatchObject({ userId: user.id });
    expect(await hasPassword(deps, tenant.id, user.id)).toBe(true);
  });

  it("is locked after ten wrong guesses: a stolen session must not yield the password", async () => {
    const user = await aUser();
    const self = contextOf(tenant.id, { actor: { type: "user", id: user.id }, permissions: new Set() });
    for (let i = 0; i < 10; i++) {
      await expect(changePassword(deps, self, user.id, "wrong", "a new password")).rejects.toThrow(
        code("credential.rejected"),
      );
    }
    await expect(changePassword(deps, self, user.id, PASSWORD, "a new password")).rejects.toThrow(
      code("credential.locked"),
    );
  });
});
