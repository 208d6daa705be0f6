import { connect } from "node:net";
import { IdentityError, type Tenant } from "@ostiary/contracts";
import type { FastifyInstance } from "fastify";
import pino from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createApp } from "./create-app.ts";

const tenant = { id: "0".repeat(24), slug: "default" } as Tenant;
let app: FastifyInstance;

beforeAll(async () => {
  app = await createApp({
    log: pino({ level: "silent" }),
    resolveTenant: (slug) => (slug === "default" ? tenant : null),
    trustedProxies: [],
  });
  app.post(
    "/things",
    {
      schema: {
        body: {
          type: "object",
          required: ["name"],
          additionalProperties: false,
          properties: { name: { type: "string", maxLength: 5 }, size: { type: "integer" } },
        },
      },
    },
    (request) => request.body,
  );
  app.get(
    "/things/:id",
    {
      schema: {
        params: { type: "object", properties: { id: { type: "string", pattern: "^[0-9]+$" } } },
        querystring: { type: "object", properties: { n: { type: "integer" } } },
      },
    },
    (r) => r.query,
  );
  app.delete("/things/all", () => ({}));
  app.get("/t/:tenant/things", (request) => ({ slug: request.tenant.slug }));
  app.get("/broken", () => {
    throw new Error("password=hunter2");
  });
  app.get("/gone", () => {
    throw Object.assign(new Error("connection refused"), { code: "ECONNREFUSED" });
  });
  app.get("/busy", () => {
    throw new IdentityError("credential.busy", { retryAfter: 2 });
  });
  await app.listen({ port: 0, host: "127.0.0.1" });
});
afterAll(() => app.close());

const post = (body: string | Buffer, type = "application/json") =>
  app.inject({ method: "POST", url: "/things", headers: { "content-type": type }, payload: body });

describe("every route", () => {
  it("refuses bad bodies with the registered code and status", async () => {
    const cases: [string | Buffer, number, string][] = [
      ['{"name":"a","other":1}', 400, "request.invalid"],
      ['{"name":1}', 400, "request.invalid"],
      ['{"name":"a","size":"3"}', 400, "request.invalid"],
      ["", 400, "request.invalid"],
      ['{"name":"a"', 400, "request.malformed_json"],
      ['{"name":"a","name":"b"}', 400, "request.duplicate_key"],
      ['{"name":"\\u0000"}', 400, "request.invalid_text"],
      [Buffer.from([0x7b, 0xff]), 400, "request.invalid_text"],
      ["[".repeat(100) + "]".repeat(100), 400, "request.too_deep"],
      [`"${"x".repeat(1_100_000)}"`, 413, "request.too_large"],
    ];
    for (const [body, status, code] of cases) {
      const answer = await post(body);
      expect([answer.statusCode, answer.json().code], String(body).slice(0, 40)).toEqual([status, code]);
      expect(answer.headers["content-type"]).toContain("application/problem+json");
      expect(answer.json().traceId).toMatch(/^[0-9a-f]{32}$/);
    }
  });

  it("names the field to correct", async () => {
    const answer = await post('{"name":"too long"}');
    expect(answer.json().errors).toEqual([
      { path: "/name", message: expect.stringContaining("5 characters") },
    ]);
    expect((await post('{"name":"a","x/y":1}')).json().errors[0].path).toBe("/x~1y");
  });

  it("refuses other content types and methods, and says which methods there are", async () => {
    expect((await post("<a/>", "text/xml")).statusCode).toBe(415);
    expect(
      (await app.inject({ method: "POST", url: "/things", payload: Buffer.from("{}") })).statusCode,
    ).toBe(415);
    const wrong = await app.inject({ method: "DELETE", url: "/things/1" });
    expect([wrong.statusCode, wrong.json().code]).toEqual([405, "request.method_not_allowed"]);
    expect(wrong.headers.allow).toContain("GET");
    const other = await app.inject({ method: "GET", url: "/things/all" });
    expect([other.statusCode, other.headers.allow]).toEqual([405, "DELETE"]);
    expect((await app.inject("/nothing")).json()).toMatchObject({ status: 404, code: "route.not_found" });
  });

  it("refuses null characters and broken escapes in addresses, and unknown tenants", async () => {
    expect((await app.inject("/things/a%00b")).json().code).toBe("request.invalid_text");
    expect((await app.inject("/things/%ff")).json().code).toBe("request.invalid_text");
    expect((await app.inject("/things/1?n=x")).json().code).toBe("request.invalid");
    expect((await app.inject(`/things/1?${"x".repeat(20_000)}`)).statusCode).toBe(414);
    expect((await app.inject("/t/nobody/things")).json().code).toBe("tenant.not_found");
  });

  it("keeps the reason of an unforeseen failure to itself", async () => {
    const answer = await app.inject("/broken");
    expect([answer.statusCode, answer.json().code]).toEqual([500, "server.error"]);
    expect(answer.body).not.toContain("hunter2");
    const gone = await app.inject("/gone");
    expect([gone.statusCode, gone.headers["retry-after"]]).toEqual([503, "1"]);
    expect((await app.inject("/busy")).headers["retry-after"]).toBe("2");
  });

  it("takes over the caller's trace id", async () => {
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    const answer = await app.inject({
      url: "/nothing",
      headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01` },
    });
    expect(answer.json().traceId).toBe(traceId);
  });

  it("answers what is no HTTP with a problem too", async () => {
    const answer = await new Promise<string>((resolve) => {
      let text = "";
      const { port } = app.addresses()[0] as { port: number };
      const socket = connect(port, "127.0.0.1", () => socket.write("NONSENSE\r\n\r\n"));
      socket.on("data", (chunk) => {
        text += chunk;
      });
      socket.on("close", () => resolve(text));
    });
    expect(answer).toContain("HTTP/1.1 400");
    expect(answer).toContain("request.invalid");
  });
});

describe("the address of a request", () => {
  const SPOOFED = "6.6.6.6";
  const seen = async (trustedProxies: string[], remoteAddress: string, forwarded: string) => {
    const behind = await createApp({
      log: pino({ level: "silent" }),
      resolveTenant: () => tenant,
      trustedProxies,
    });
    behind.get("/who", ({ context }) => ({ ip: context.ip }));
    const headers = { "x-forwarded-for": forwarded, "x-real-ip": SPOOFED, forwarded: `for=${SPOOFED}` };
    const answer = await behind.inject({ url: "/who", remoteAddress, headers });
    await behind.close();
    return answer.json().ip;
  };

  it.each([
    ["nobody's word where no proxy is trusted", [], "198.51.100.1", SPOOFED, "198.51.100.1"],
    ["not what a stranger says beside the proxy", ["10.0.0.0/8"], "198.51.100.1", SPOOFED, "198.51.100.1"],
    ["what the proxy says", ["10.0.0.0/8"], "10.0.0.1", "203.0.113.9", "203.0.113.9"],
    [
      "not what the client has put before it",
      ["10.0.0.0/8"],
      "10.0.0.1",
      `${SPOOFED}, 203.0.113.9`,
      "203.0.113.9",
    ],
    [
      "that before several proxies",
      ["10.0.0.0/8"],
      "10.0.0.1",
      `${SPOOFED}, 203.0.113.9, 10.0.0.2`,
      "203.0.113.9",
    ],
    ["the proxy's own where it says nothing", ["10.0.0.1"], "10.0.0.1", "", "10.0.0.1"],
  ])("is %s", async (_what, trusted, remote, forwarded, ip) => {
    expect(await seen(trusted, remote, forwarded)).toBe(ip);
  });
});
