import { afterAll, beforeAll, expect, it } from "vitest";
import { newId, newSecret } from "../../kernel/identifiers.ts";
import { refusal, type TwoTenants, twoTenants } from "../../testing/two-tenants.ts";
import { findKnownDevice, forgetDevice, listKnownDevices, rememberDevice, setPassword } from "./index.ts";

const DAY = 86_400;
let world: TwoTenants;
let ann: string;
let bob: string;
beforeAll(async () => {
  world = await twoTenants();
  ann = await world.aUser("ann");
  bob = await world.aUser("bob");
});
afterAll(() => world[Symbol.asyncDispose]());

const remember = (userId: string, cookie?: string, days: number | null = 30) =>
  rememberDevice(world.deps, world.context, userId, { cookie, days });
const find = (userId: string, cookie: string | undefined, context = world.context) =>
  findKnownDevice(world.deps, context, userId, cookie);

it("a browser is known and remembered for the person who signed in there, for so many days", async () => {
  const { cookie, isNew } = await remember(ann);
  expect(isNew).toBe(true);
  expect(await find(ann, cookie)).toMatchObject({ remembered: true });
  expect(await find(bob, cookie)).toBeNull();
  expect(await find(ann, cookie, world.foreign)).toBeNull();
  world.clock.advance(30 * DAY);
  expect(await find(ann, cookie)).toMatchObject({ remembered: false });
  const again = await remember(ann, cookie);
  expect(again).toEqual({ cookie, isNew: false });
  expect(await find(ann, cookie)).toMatchObject({ remembered: true });
});

it("a browser that was not told to remember is known, and later told again keeps what it was told", async () => {
  const { cookie } = await remember(ann, undefined, null);
  expect(await find(ann, cookie)).toMatchObject({ remembered: false });
  await remember(ann, cookie, 30);
  await remember(ann, cookie, null);
  expect(await find(ann, cookie)).toMatchObject({ remembered: true });
});

it("five people share a browser; the one who was there first goes", async () => {
  let cookie: string | undefined;
  const people = [];
  for (let i = 0; i < 6; i++) {
    const userId = await world.aUser(`family-${i}`);
    people.push(userId);
    ({ cookie } = await remember(userId, cookie));
  }
  const [first = "", ...others] = people;
  expect(await find(first, cookie)).toBeNull();
  for (const other of others) expect(await find(other, cookie)).toMatchObject({ remembered: true });
});

it("a cookie that somebody planted becomes nobody's device", async () => {
  const planted = `${newId(world.clock.now())}.${newSecret()}`;
  const { cookie, isNew } = await remember(ann, planted);
  expect(isNew).toBe(true);
  expect(cookie).not.toBe(planted);
  expect(await find(ann, planted)).toBeNull();
  const mine = (await remember(bob)).cookie; // an attacker's own, planted
  expect((await remember(ann, mine)).isNew).toBe(true);
  expect(await find(ann, mine)).toBeNull();
});

it("a cookie that is none finds nothing", async () => {
  for (const cookie of [undefined, "", "x", "~", `${"a".repeat(24)}.${"b".repeat(42)}`, "a".repeat(5_000)]) {
    expect(await find(ann, cookie)).toBeNull();
  }
});

it("devices are listed and forgotten by their user, and a new password remembers none", async () => {
  const carl = await world.aUser("carl");
  const first = await remember(carl);
  const second = await remember(carl);
  const { deps, context } = world;
  const [newest] = await listKnownDevices(deps, context, carl);
  expect(newest?.rememberedUntil).not.toBeNull();
  expect(await refusal(forgetDevice(deps, context, ann, newest?.id ?? ""))).toBe("device.not_found");
  await forgetDevice(deps, context, carl, newest?.id ?? "");
  expect([await find(carl, first.cookie), await find(carl, second.cookie)].filter((d) => d)).toHaveLength(1);
  await setPassword(deps, context, carl, { plain: "correct horse battery staple" });
  expect(await listKnownDevices(deps, context, carl)).toMatchObject([{ rememberedUntil: null }]);
});

it("a user has fifty at most", async () => {
  const dora = await world.aUser("dora");
  for (let i = 0; i < 52; i++) await remember(dora);
  expect(await listKnownDevices(world.deps, world.context, dora)).toHaveLength(50);
});
