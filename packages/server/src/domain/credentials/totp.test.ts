import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addSeconds } from "../../kernel/clock.ts";
import { createRateLimits } from "../../platform/limits/index.ts";
import { shownByApp } from "../../testing/authenticator-app.ts";
import { QUIET } from "../../testing/test-deps.ts";
import { audited, refusal, type TwoTenants, twoTenants } from "../../testing/two-tenants.ts";
import { findTenantById } from "../tenants/index.ts";
import { deleteUser } from "../users/index.ts";
import {
  beginTotp,
  checkRecoveryCode,
  checkTotp,
  confirmTotp,
  factorsOfUser,
  listFactors,
  makeRecoveryCodes,
  removeFactor,
  renameFactor,
} from "./index.ts";

let world: TwoTenants;
let people = 0;
beforeAll(async () => {
  world = await twoTenants();
});
afterAll(() => world[Symbol.asyncDispose]());

async function theTenant(id = world.context.tenantId) {
  const tenant = await findTenantById(world.deps, id);
  if (!tenant) throw new Error("no tenant");
  return tenant;
}
/** What the app shows, `later` seconds from now. */
const shown = (secret: string, later = 0) => shownByApp(secret, addSeconds(world.clock.now(), later));
const begin = async (userId: string) => beginTotp(world.deps, world.context, await theTenant(), userId);
const confirm = async (userId: string, id: string, code: string) => {
  const tenant = await theTenant();
  return world.deps.database.transaction((tx) =>
    confirmTotp(world.deps, tx, world.context, tenant, userId, { id, code }),
  );
};
const check = async (userId: string, code: string, { deps = world.deps, context = world.context } = {}) => {
  const tenant = await theTenant(context.tenantId);
  return deps.database.transaction((tx) => checkTotp(deps, tx, context, tenant, userId, code));
};
/** A user with an app, half a minute after it was confirmed. */
async function aHolder() {
  const userId = await world.aUser(`person-${++people}`);
  const { id, secret } = await begin(userId);
  await confirm(userId, id, shown(secret));
  world.clock.advance(60);
  return { userId, id, secret };
}

describe("an authenticator app", () => {
  it("is told by a QR code of its address, and is a factor only after its first code", async () => {
    const userId = await world.aUser("ann");
    const begun = await begin(userId);
    expect(begun.uri).toBe(`otpauth://totp/Default:ann?secret=${begun.secret}&issuer=Default`);
    expect(begun.qr).toMatch(/^<svg /);
    expect(await refusal(check(userId, shown(begun.secret)))).toBe("code.rejected");
    expect(await refusal(confirm(userId, begun.id, "123"))).toBe("code.rejected");
    expect((await factorsOfUser(world.deps, world.context.tenantId, userId)).totp).toBe(0);
    expect(await confirm(userId, begun.id, shown(begun.secret))).toMatchObject({ kind: "totp" });
    expect((await factorsOfUser(world.deps, world.context.tenantId, userId)).totp).toBe(1);
  });

  it("cannot be confirmed by another user, after an hour, or when another one was begun since", async () => {
    const ann = await world.aUser("ann-2");
    const eve = await world.aUser("eve");
    const first = await begin(ann);
    expect(await refusal(confirm(eve, first.id, shown(first.secret)))).toBe("factor.not_found");
    const second = await begin(ann);
    expect(await refusal(confirm(ann, first.id, shown(first.secret)))).toBe("factor.not_found");
    world.clock.advance(3_600);
    expect(await refusal(confirm(ann, second.id, shown(second.secret)))).toBe("factor.not_found");
  });

  it("has codes that work once, also the one that confirmed it", async () => {
    const userId = await world.aUser(`person-${++people}`);
    const { id, secret } = await begin(userId);
    await confirm(userId, id, shown(secret));
    expect(await refusal(check(userId, shown(secret)))).toBe("code.rejected");
    world.clock.advance(30);
    expect(await check(userId, shown(secret))).toEqual({ id });
    expect(await refusal(check(userId, shown(secret)))).toBe("code.rejected");
  });

  it("lets one of eight in who show the same code at once", async () => {
    const { userId, secret } = await aHolder();
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, () => refusal(check(userId, shown(secret)))),
    );
    expect(outcomes.filter((outcome) => outcome === "fulfilled")).toHaveLength(1);
  });

  it("may be half a minute early or late, not more, and never goes back", async () => {
    const { userId, secret } = await aHolder();
    expect(await refusal(check(userId, shown(secret, -60)))).toBe("code.rejected");
    expect(await refusal(check(userId, shown(secret, 60)))).toBe("code.rejected");
    await check(userId, shown(secret, 30));
    expect(await refusal(check(userId, shown(secret)))).toBe("code.rejected");
    expect(await refusal(check(userId, shown(secret, -30)))).toBe("code.rejected");
  });

  it("is refused and no error when the server's clock was set back", async () => {
    const { userId, secret } = await aHolder();
    world.clock.advance(-7_200);
    expect(await refusal(check(userId, shown(secret)))).toBe("code.rejected");
    world.clock.advance(7_200);
    expect(await refusal(check(userId, shown(secret)))).toBe("fulfilled");
  });

  it("is nothing to another user or tenant, and bad input is a wrong code", async () => {
    const { userId, secret } = await aHolder();
    const eve = await aHolder();
    expect(await refusal(check(eve.userId, shown(secret)))).toBe("code.rejected");
    expect(await refusal(check(userId, shown(secret), { context: world.foreign }))).toBe("code.rejected");
    for (const code of ["", "12345", "1234567", "abcdef", "-12345", "\u0000", "9".repeat(10_000)]) {
      expect(await refusal(check(userId, code))).toBe("code.rejected");
    }
  });

  it("is stored sealed", async () => {
    const { id, secret } = await aHolder();
    const [row] = await world.database.query<{ sealed: Buffer }>(
      "select sealed_secret as sealed from totp_authenticators where id = $1",
      [id],
    );
    expect(row?.sealed.toString("latin1")).not.toContain(secret);
  });

  it("is locked after wrong codes, together with the recovery codes", async () => {
    const { clock, database } = world;
    const limits = createRateLimits({ kind: "postgres", database, clock, log: QUIET });
    const deps = { ...world.deps, limits };
    const { userId, secret } = await aHolder();
    const tenant = await theTenant();
    for (let i = 0; i < tenant.settings.lockout.attempts; i++)
      await refusal(check(userId, "000000", { deps }));
    expect(await refusal(check(userId, shown(secret), { deps }))).toBe("credential.locked");
    const recover = deps.database.transaction((tx) =>
      checkRecoveryCode(deps, tx, world.context, tenant, userId, "x"),
    );
    expect(await refusal(recover)).toBe("credential.locked");
  });

  it("is renamed and removed by its user only; the last one stays where one is demanded", async () => {
    const { userId, id } = await aHolder();
    const eve = await world.aUser(`person-${++people}`);
    const { deps, context } = world;
    const tenant = await theTenant();
    const inTransaction = deps.database.transaction.bind(deps.database);
    const rename = (who: string) =>
      inTransaction((tx) => renameFactor(deps, tx, context, who, { id, name: "My phone" }));
    const remove = (who: string, demanded: boolean) => {
      const isEnough = ({ totp }: { totp: number }) => !demanded || totp > 0;
      return inTransaction((tx) => removeFactor(deps, tx, context, tenant, who, id, { isEnough }));
    };
    expect(await refusal(rename(eve))).toBe("factor.not_found");
    await rename(userId);
    expect(await listFactors(deps, context.tenantId, userId)).toMatchObject([{ id, name: "My phone" }]);
    expect(await refusal(remove(eve, false))).toBe("factor.not_found");
    expect(await refusal(remove(userId, true))).toBe("factor.required");
    await remove(userId, false);
    expect(await listFactors(deps, context.tenantId, userId)).toEqual([]);
    const types = (await audited(world, userId, 4)).map(({ type }) => type);
    expect(types).toEqual(["factor.removed", "factor.updated", "factor.added", "user.created"]);
  });

  it("a user has five at most, and none after he is deleted", async () => {
    const { userId } = await aHolder();
    for (let i = 0; i < 4; i++) {
      const { id, secret } = await begin(userId);
      await confirm(userId, id, shown(secret));
    }
    expect(await refusal(begin(userId))).toBe("factor.too_many");
    await deleteUser(world.deps, world.context, userId);
    const rows = await world.database.query("select from totp_authenticators where user_id = $1", [userId]);
    expect(rows).toEqual([]);
  });
});

describe("recovery codes", () => {
  const use = async (userId: string, code: string, context = world.context) => {
    const tenant = await theTenant(context.tenantId);
    return world.deps.database.transaction((tx) =>
      checkRecoveryCode(world.deps, tx, context, tenant, userId, code),
    );
  };

  it("are ten, each good once, however it is typed", async () => {
    const userId = await world.aUser(`person-${++people}`);
    const codes = await makeRecoveryCodes(world.deps, world.context, userId);
    expect(new Set(codes).size).toBe(10);
    const [first = "", second = ""] = codes;
    expect(first).toMatch(/^[0-9a-hjkmnp-tv-z]{5}-[0-9a-hjkmnp-tv-z]{5}$/);
    expect(await use(userId, first)).toEqual({ left: 9 });
    expect(await refusal(use(userId, first))).toBe("code.rejected");
    expect(await use(userId, ` ${second.toUpperCase().replace("-", " ").replaceAll("0", "O")}`)).toEqual({
      left: 8,
    });
  });

  it("one lets one of eight in", async () => {
    const userId = await world.aUser(`person-${++people}`);
    const [code = ""] = await makeRecoveryCodes(world.deps, world.context, userId);
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => refusal(use(userId, code))));
    expect(outcomes.filter((outcome) => outcome === "fulfilled")).toHaveLength(1);
  });

  it("are the user's own, in the tenant, and replaced by the next ten", async () => {
    const userId = await world.aUser(`person-${++people}`);
    const eve = await world.aUser(`person-${++people}`);
    const [code = ""] = await makeRecoveryCodes(world.deps, world.context, userId);
    expect(await refusal(use(eve, code))).toBe("code.rejected");
    expect(await refusal(use(userId, code, world.foreign))).toBe("code.rejected");
    await makeRecoveryCodes(world.deps, world.context, userId);
    expect(await refusal(use(userId, code))).toBe("code.rejected");
    expect((await factorsOfUser(world.deps, world.context.tenantId, userId)).recoveryCodes).toBe(10);
  });
});
