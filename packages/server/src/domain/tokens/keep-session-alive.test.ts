import { expect, it } from "vitest";
import { findSession, finishLastSeen } from "../sessions/index.ts";
import { DEFAULT_SETTINGS } from "../tenants/index.ts";
import { redeemCode, rotateRefreshToken } from "./index.ts";
import { aWorld } from "./testing/a-world.ts";

it("counts a refresh as a sign that the person is there", async () => {
  await using world = await aWorld();
  const { deps, clock, context, tenant, application, session } = world;
  const almostIdle = DEFAULT_SETTINGS.sessions.idleSeconds - 60;
  const input = {
    application,
    code: await world.code(),
    redirectUri: "https://shop.example/callback",
    codeVerifier: null,
  };
  let { refreshToken } = await redeemCode(deps, context, tenant, input);
  for (let i = 0; i < 3; i++) {
    clock.advance(almostIdle);
    ({ refreshToken } = await rotateRefreshToken(deps, context, tenant, application, refreshToken ?? "", []));
  }
  await finishLastSeen(deps);
  expect(await findSession(deps, tenant.id, session.id)).toMatchObject({ lastSeenAt: clock.now() });
  clock.advance(almostIdle + 60);
  expect(await findSession(deps, tenant.id, session.id)).toBeNull();
});
