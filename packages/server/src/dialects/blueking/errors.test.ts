import { IdentityError } from "@ostiary/contracts";
import Fastify from "fastify";
import { describe, expect, it } from "vitest";
import { refusalsOf, sendGatewayError } from "./errors.ts";
import { IS_LOGIN } from "./translate.ts";

/** What a client hears when answering ends with this. */
async function heard(thrown: unknown) {
  const app = Fastify();
  app.get("/gateway", { errorHandler: sendGatewayError }, () => Promise.reject(thrown));
  app.get("/login", { errorHandler: refusalsOf(IS_LOGIN.v3) }, () => Promise.reject(thrown));
  const [gateway, login] = [await app.inject("/gateway"), await app.inject("/login")];
  await app.close();
  return { gateway, login };
}

describe("a failure of ours", () => {
  it.each([
    ["an error that nobody expected", new Error("secret inside"), 500],
    ["a database that is away", new IdentityError("server.unavailable"), 503],
    ["too many requests", new IdentityError("request.rate_limited", { retryAfter: 7 }), 503],
  ])("has words for every client, and a number that is no 0: %s", async (_what, thrown, status) => {
    const { gateway, login } = await heard(thrown);
    expect(gateway.statusCode).toBe(status);
    expect(gateway.headers["x-bkapi-error-code"]).toBe("1650001");
    // bkpaas-auth 4.x fails itself, with 500, on a body without `error.message`.
    expect(gateway.json()).toMatchObject({
      error: { code: "INTERNAL_SERVER_ERROR", message: expect.stringMatching(/./), system: "bk-login" },
      code: 1650001,
      code_name: "INTERNAL_SERVER_ERROR",
      result: false,
      data: null,
    });
    expect(login.statusCode).toBe(503);
    expect(login.json()).toMatchObject({ result: false, code: 1302500, data: {} });
    for (const { body, headers } of [gateway, login]) {
      expect(body).not.toContain("secret");
      expect(headers["cache-control"]).toBe("no-store");
      expect(headers["set-cookie"]).toBeUndefined();
    }
  });

  it("says when to come back", async () => {
    const { gateway } = await heard(new IdentityError("request.rate_limited", { retryAfter: 6.2 }));
    expect(gateway.headers["retry-after"]).toBe("7");
  });
});
