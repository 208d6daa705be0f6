import { afterAll, beforeAll, expect, it } from "vitest";
import { refusal, type TwoTenants, twoTenants } from "../../testing/two-tenants.ts";
import { suspendUser, updateUser } from "../users/index.ts";
import { checkPasswordLink, createPasswordLink, redeemPasswordLink, setPassword } from "./index.ts";

const PASSWORD = "correct horse battery staple";

let world: TwoTenants;
beforeAll(async () => {
  world = await twoTenants();
});
afterAll(() => world[Symbol.asyncDispose]());

let count = 0;
async function aLink(): Promise<{ userId: string; secret: string }> {
  const userId = await world.aUser(`person${++count}`);
  await updateUser(world.deps, world.context, userId, { email: `person${count}@old.example` });
  const secret = await createPasswordLink(world.deps, world.context.tenantId, userId, 3_600);
  return { userId, secret };
}
/** Whether the link is enough for its user is asked by who redeems it (`domain/levels`). */
const enough = async () => {};
const redeem = (secret: string, context = world.context) =>
  refusal(redeemPasswordLink(world.deps, context, secret, PASSWORD, enough));

it("works for one of twelve that use it at once, and in its own tenant", async () => {
  const { secret } = await aLink();
  expect(await redeem(secret, world.foreign)).toBe("password_link.invalid");
  const outcomes = await Promise.all(Array.from({ length: 12 }, () => redeem(secret)));
  expect(outcomes.filter((outcome) => outcome === "fulfilled")).toHaveLength(1);
});

it("is worth nothing once the mailbox that it went to has left the account", async () => {
  const { userId, secret } = await aLink();
  await updateUser(world.deps, world.context, userId, { nickname: "Ann" });
  await checkPasswordLink(world.deps, world.context.tenantId, secret);
  await updateUser(world.deps, world.context, userId, { email: `person${count}@new.example` });
  expect(await redeem(secret)).toBe("password_link.invalid");
});

it("is worth nothing once the password was changed in another way", async () => {
  const { userId, secret } = await aLink();
  await setPassword(world.deps, world.context, userId, { plain: "another good password" });
  expect(await redeem(secret)).toBe("password_link.invalid");
});

it("leaves somebody who is suspended without a password", async () => {
  const { userId, secret } = await aLink();
  await suspendUser(world.deps, world.context, userId);
  expect(await redeem(secret)).toBe("user.suspended");
});
