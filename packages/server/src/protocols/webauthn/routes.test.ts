import { expect, it } from "vitest";
import { aServer } from "../../testing/a-server.ts";

it("browsers learn on which other sites the passkeys may be used", async () => {
  await using server = await aServer({
    config: { publicUrl: "https://id.example.com", passkeyOrigins: ["https://login.example.org"] },
  });
  const answer = await server.app.inject("/.well-known/webauthn");
  expect(answer.headers["content-type"]).toMatch("application/json");
  expect(answer.json()).toEqual({ origins: ["https://id.example.com", "https://login.example.org"] });
});
