import type { CreateApplication } from "@ostiary/contracts";
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from "jose";
import { describe, expect, it } from "vitest";
import { createOutgoingCalls } from "../../platform/outgoing/outgoing-calls.ts";
import { updateApplication } from "../applications/index.ts";
import { finishOutgoing, startOutgoing } from "../outgoing/index.ts";
import { revokeSession, revokeSessionsOfUser } from "../sessions/index.ts";
import { Receiver } from "../webhooks/testing/receiver.ts";
import { LOGOUT_SENDER, publicJwks } from "./index.ts";
import { anApplication, aWorld } from "./testing/a-world.ts";

type World = Awaited<ReturnType<typeof aWorld>>;

async function listening(world: World, receiver: Receiver, overrides: Partial<CreateApplication> = {}) {
  const uri = `${receiver.url}/logout`;
  return anApplication(world.deps, world.tenant, `app-${Math.random().toString(36).slice(2)}`, {
    backchannelLogoutUri: uri,
    ...overrides,
  });
}

async function tokensOf(world: World, receiver: Receiver) {
  const { keys } = await publicJwks(world.deps, world.tenant.id);
  const verify = createLocalJWKSet({ keys: keys as never });
  return Promise.all(
    receiver.received.map(async ({ body, headers }) => {
      expect(headers["content-type"]).toBe("application/x-www-form-urlencoded");
      const token = new URLSearchParams(body).get("logout_token") ?? "";
      const { payload } = await jwtVerify(token, verify, { currentDate: world.clock.now() });
      return { ...payload, typ: decodeProtectedHeader(token).typ };
    }),
  );
}

describe("an application that wants to hear of logouts", () => {
  it("gets a signed logout token when a session ends that it knows, and no other (§2.4)", async () => {
    await using world = await aWorld();
    await using receiver = await Receiver.open();
    const application = await listening(world, receiver);
    const silent = await anApplication(world.deps, world.tenant, "silent");
    await world.code({ application, issuer: "https://id.example.com/t/default" });
    await world.code({ application, offline: true, issuer: "https://id.example.com/t/default" });
    await world.code({ application: silent });
    await revokeSession(world.deps, world.context, world.session.id, "test");
    const sending = startOutgoing(world.deps, [LOGOUT_SENDER]);
    await finishOutgoing(world.deps);

    expect(await tokensOf(world, receiver)).toEqual([
      {
        typ: "logout+jwt",
        iss: "https://id.example.com/t/default",
        sub: world.user.id,
        aud: application.id,
        iat: expect.any(Number),
        exp: expect.any(Number),
        jti: expect.any(String),
        sid: world.session.id,
        events: { "http://schemas.openid.net/event/backchannel-logout": {} },
      },
    ]);
    await sending.close();
  });

  it("hears of it again until it says yes, each time with a fresh token", async () => {
    await using world = await aWorld();
    await using receiver = await Receiver.open();
    const application = await listening(world, receiver);
    await world.code({ application });
    let refusals = 2;
    receiver.answer = (_received, response) => void response.writeHead(refusals-- > 0 ? 400 : 200).end();
    const sending = startOutgoing(world.deps, [LOGOUT_SENDER]);
    await revokeSessionsOfUser(world.deps, world.context, world.user.id, { reason: "password changed" });
    for (const seconds of [0, 3, 10, 100]) {
      world.clock.advance(seconds);
      await finishOutgoing(world.deps);
    }
    expect(receiver.received).toHaveLength(3);
    const bodies = new Set(receiver.received.map(({ body }) => body));
    expect(bodies.size).toBe(3);
    await sending.close();
  });

  it("hears nothing of a revocation that is rolled back", async () => {
    await using world = await aWorld();
    await using receiver = await Receiver.open();
    await world.code({ application: await listening(world, receiver) });
    const sending = startOutgoing(world.deps, [LOGOUT_SENDER]);
    const failing = world.deps.database.transaction(async (tx) => {
      await revokeSession({ ...world.deps, database: tx }, world.context, world.session.id, "test");
      throw new Error("rolled back");
    });
    await expect(failing).rejects.toThrow("rolled back");
    await finishOutgoing(world.deps);
    expect(receiver.received).toEqual([]);
    await sending.close();
  });

  it("cannot make the server call a private address", async () => {
    await using world = await aWorld();
    await using receiver = await Receiver.open();
    const application = await listening(world, receiver);
    await world.code({ application });
    const strict = { ...world.deps, outgoing: createOutgoingCalls([]) };
    await revokeSession(strict, world.context, world.session.id, "test");
    const sending = startOutgoing(strict, [LOGOUT_SENDER]);
    await finishOutgoing(strict);
    expect(receiver.received).toEqual([]);
    await sending.close();
  });

  it("must have an address that a token may be sent to", async () => {
    await using world = await aWorld();
    for (const uri of [
      "http://shop.example/logout",
      "ftp://shop.example/",
      "com.example.app:/logout",
      "https://shop.example/#x",
      "javascript:alert(1)",
    ]) {
      const change = updateApplication(world.deps, world.context, world.application.id, {
        backchannelLogoutUri: uri,
      });
      await expect(change, uri).rejects.toMatchObject({ code: "application.redirect_uri_invalid" });
    }
  });
});
