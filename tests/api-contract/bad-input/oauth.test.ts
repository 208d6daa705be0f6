import { describe, expect, it } from "vitest";
import { FORM_TYPE, MEBIBYTE, useScene } from "./scene.ts";

const scene = useScene();

describe("OAuth, given a bad request, refuses it in the words of RFC 6749 and writes nothing", () => {
  const basic = () => ({
    authorization: `Basic ${Buffer.from(`${scene.shop.id}:${scene.shop.secret}`).toString("base64")}`,
  });

  it.each([
    ["no grant type", "scope=openid", 400, "invalid_request"],
    ["an unknown grant type", "grant_type=magic", 400, "unsupported_grant_type"],
    ["a grant type twice", "grant_type=client_credentials&grant_type=refresh_token", 400, "invalid_request"],
    ["a null character", "grant_type=authorization_code&code=%00", 400, "invalid_request"],
    ["invalid UTF-8", "grant_type=authorization_code&code=%ff", 400, "invalid_request"],
    [
      "a code that nobody gave out",
      `grant_type=authorization_code&code=x&code_verifier=${"v".repeat(43)}`,
      400,
      "invalid_grant",
    ],
    ["a scope that is too much", "grant_type=client_credentials&scope=manage", 400, "invalid_scope"],
    [
      "more than a mebibyte",
      `grant_type=client_credentials&x=${"x".repeat(MEBIBYTE)}`,
      413,
      "invalid_request",
    ],
    ["nothing", "", 400, "invalid_request"],
  ])("at the token endpoint: %s", async (_what, payload, status, error) => {
    const answer = await scene.send({ url: "/oauth/token", headers: { ...FORM_TYPE, ...basic() }, payload });
    expect({ status: answer.status, error: answer.body.error }).toEqual({ status, error });
    expect(answer.headers["cache-control"]).toBe("no-store");
  });

  it.each([
    ["JSON", "application/json", '{"grant_type":"client_credentials"}'],
    ["another content type", "text/plain", "grant_type=client_credentials"],
    ["no content type", "", "grant_type=client_credentials"],
  ])("at the token endpoint: %s", async (_what, type, payload) => {
    const answer = await scene.send({
      url: "/oauth/token",
      headers: { "content-type": type, ...basic() },
      payload,
    });
    expect([400, 415]).toContain(answer.status);
    expect(answer.body.error).toBe("invalid_request");
  });

  it.each([
    ["a wrong secret", () => `${scene.shop.id}:wrong`],
    ["an unknown client", () => `${"f".repeat(24)}:${scene.shop.secret}`],
    ["another tenant's client", () => `${scene.other.ids.applications}:${scene.shop.secret}`],
    ["no colon", () => scene.shop.id],
    ["a null character", () => `${scene.shop.id}:%00`],
  ])("from a client with %s", async (_what, credentials) => {
    const authorization = `Basic ${Buffer.from(credentials()).toString("base64")}`;
    const answer = await scene.send({
      url: "/oauth/token",
      headers: { ...FORM_TYPE, authorization },
      payload: "grant_type=client_credentials",
    });
    expect({ status: answer.status, error: answer.body.error }).toEqual({
      status: 401,
      error: "invalid_client",
    });
    expect(answer.headers["www-authenticate"]).toMatch(/^Basic/);
  });

  it("from a tenant that does not exist", async () => {
    const answer = await scene.send({
      url: "/t/nobody/oauth/token",
      headers: FORM_TYPE,
      payload: "grant_type=x",
    });
    expect(answer.status).toBe(404);
  });

  it("with a wrong method", async () => {
    const answer = await scene.server.app.inject({ method: "GET", url: "/oauth/token" });
    expect({ status: answer.statusCode, allow: answer.headers.allow }).toMatchObject({ status: 405 });
    expect(answer.headers.allow).toContain("POST");
  });

  it.each([
    ["no client", "response_type=code"],
    ["an unknown client", "response_type=code&client_id=x&redirect_uri=https://evil.example"],
    ["a null character", "response_type=code&client_id=%00"],
    ["a parameter twice", "response_type=code&client_id=a&client_id=b"],
    ["invalid UTF-8", "response_type=code&client_id=%ff"],
    ["an unregistered redirect URI", "SHOP&redirect_uri=https://evil.example"],
  ])("at the authorization endpoint: %s, without sending the browser anywhere", async (_what, query) => {
    const parameters = query.replace("SHOP", `response_type=code&client_id=${scene.shop.id}`);
    const answer = await scene.server.app.inject({ method: "GET", url: `/oauth/authorize?${parameters}` });
    expect(answer.statusCode).toBe(400);
    expect(answer.headers.location).toBeUndefined();
  });
});
