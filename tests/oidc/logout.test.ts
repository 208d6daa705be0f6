import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { updateApplication } from "../../packages/server/src/domain/applications/index.ts";
import { Receiver } from "../../packages/server/src/domain/webhooks/testing/receiver.ts";
import {
  aProvider,
  authorize,
  authorizeUrl,
  type Client,
  claimsOf,
  type Provider,
  redeem,
  refresh,
} from "./provider.ts";

let provider: Provider;
let receiver: Receiver;
let client: Client;
let userId: string;

beforeAll(async () => {
  provider = await aProvider({ config: { dangerAllowPrivateTargets: ["127.0.0.1"] } });
  receiver = await Receiver.open();
  client = await provider.client({ backchannelLogoutUri: `${receiver.url}/logout` });
  userId = (await provider.user()).id;
});
afterAll(async () => {
  await provider[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

it.each(["openid", "openid offline_access"])(
  "the logout token names the session of the ID token, for %s (Back-Channel Logout §2.1, §2.4)",
  async (scope) => {
    const ann = await provider.signedIn(userId);
    const issued = await redeem(provider, client, await authorize(provider, client, ann, { scope }));
    const { sid, iss, aud } = claimsOf(issued.body.id_token);
    expect(sid).toMatch(/^[0-9a-f]{24}$/);
    receiver.received.length = 0;
    await ann.visit(`${provider.url}/oauth/end-session?id_token_hint=${String(issued.body.id_token)}`);
    await vi.waitFor(() => expect(receiver.received).toHaveLength(1), 5_000);
    const token = new URLSearchParams(receiver.received[0]?.body).get("logout_token");
    expect(claimsOf(token)).toMatchObject({ sid, iss, aud, sub: userId });
    expect(claimsOf(token)).not.toHaveProperty("nonce");
  },
);

it("the metadata says that it is supported (§2.1)", async () => {
  const response = await fetch(`${provider.url}/.well-known/openid-configuration`);
  expect(await response.json()).toMatchObject({
    backchannel_logout_supported: true,
    backchannel_logout_session_supported: true,
  });
});

it("an application with a shorter session than the tenant asks again, and its refresh tokens end", async () => {
  const { deps, context } = provider;
  const bank = await provider.client();
  await updateApplication(deps, context, bank.id, { settings: { sessionAbsoluteSeconds: 300 } });
  const ann = await provider.signedIn(userId);
  const issued = await redeem(provider, bank, await authorize(provider, bank, ann));
  provider.clock.advance(200);
  const again = await refresh(provider, bank, issued.body.refresh_token);
  expect(again.status).toBe(200);
  provider.clock.advance(101);
  expect((await refresh(provider, bank, again.body.refresh_token)).body).toMatchObject({
    error: "invalid_grant",
  });
  const visit = await ann.visit(authorizeUrl(provider, bank, { prompt: "none" }));
  expect(visit.left?.searchParams.get("error")).toBe("login_required");
  await authorize(provider, client, ann); // another application still takes it
});
