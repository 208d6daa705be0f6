import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createApplication } from "../../domain/applications/index.ts";
import { listCalls, readLedger } from "../../domain/usage/index.ts";
import { aServer, type TestServer } from "../../testing/a-server.ts";
import { contextOf } from "../../testing/test-deps.ts";

let server: TestServer;
let credentials: Record<string, string>;
let applicationId: string;

beforeAll(async () => {
  server = await aServer();
  const { deps, tenantId } = server;
  const made = await createApplication(deps, contextOf(tenantId), { slug: "shop", name: "Shop" });
  applicationId = made.application.id;
  credentials = { "x-app-id": applicationId, "x-app-secret": String(made.secret) };
});
afterAll(() => server?.[Symbol.asyncDispose]());

async function call(
  path: string,
  payload: string | object | Buffer,
  headers: Record<string, string> = credentials,
) {
  const { statusCode, body } = await server.app.inject({
    method: "POST",
    url: `/huace/sdk${path}`,
    headers: { "content-type": "application/json", ...headers },
    payload,
  });
  return { statusCode, body: JSON.parse(body) as { code: number; data: Record<string, unknown> } };
}

const calls = async () =>
  (await listCalls(server.deps, contextOf(server.tenantId), { applicationId }, 200)).items;
const STAT = { api_path: "/a", api_method: "get", status_code: 200, response_time: 0.25 };
const SERVICE = { name: "s", environment: "pro", instanceId: "h:1" };

describe("statistics of their client", () => {
  it("are kept though some of them, or the token, are no good", async () => {
    const stats = [
      { ...STAT, error_message: null, request_params: null, response_headers: null, extra: 1 },
      { ...STAT, api_method: 7, response_time: null, request_params: [], response_headers: "x" },
      { ...STAT, response_time: -1, error_message: { a: 1 } },
      null,
      7,
      {},
      { ...STAT, status_code: "200" },
      { ...STAT, status_code: 99999 },
      { ...STAT, api_path: null },
      { ...STAT, api_path: "'; drop table users; --", api_method: '{"a"' },
    ];
    const headers = { ...credentials, authorization: "Bearer junk" };
    const { statusCode, body } = await call("/stats/report/batch", { stats }, headers);
    expect({ statusCode, code: body.code, data: body.data }).toEqual({
      statusCode: 200,
      code: 0,
      data: { accepted: 4, ignored: 6 },
    });
    const kept = await calls();
    expect(kept.map(({ method, milliseconds }) => [method, milliseconds])).toEqual([
      ["GET", 250],
      ["GET", 0],
      ["GET", 0],
      ["GET", 250],
    ]);
  });

  it("may be uploads with null characters, lone surrogates, deep nesting and invalid UTF-8", async () => {
    const before = (await calls()).length;
    let deep: unknown = "x";
    for (let depth = 0; depth < 1_000; depth++) deep = [deep];
    const text = JSON.stringify({
      stats: [
        { ...STAT, api_path: "/b\0\ud800", request_params: { request_body: "\0\ud800\u{1f600}", deep } },
      ],
    });
    expect((await call("/stats/report/batch", text)).body.code).toBe(0);
    const invalid = Buffer.from(JSON.stringify({ stats: [{ ...STAT, api_path: "/\xff" }] }), "latin1");
    expect((await call("/stats/report/batch", invalid)).body.code).toBe(0);
    const huge = { stats: [{ ...STAT, request_params: { request_body: "x".repeat(8_000_000) } }] };
    expect((await call("/stats/report/batch", huge)).body.code).toBe(0);
    expect(await calls()).toHaveLength(before + 3);
  });

  it.each([
    ["no list", { stats: {} }, 400],
    ["a list for a body", [], 400],
    ["null", "null", 400],
    ["half a body", '{"stats":', 400],
    ["too many", { stats: Array.from({ length: 10_001 }, () => STAT) }, 400],
  ])("with %s are refused by number", async (_what, payload, code) => {
    expect(await call("/stats/report/batch", payload)).toMatchObject({ statusCode: 200, body: { code } });
  });

  it("need the application's secret", async () => {
    const headers = { ...credentials, "x-app-secret": "wrong" };
    expect((await call("/stats/report/batch", { stats: [STAT] }, headers)).body.code).toBe(401);
    expect((await call("/service/heartbeat", SERVICE, headers)).body.code).toBe(401);
  });

  it("charge by the headers of an answer", async () => {
    const response_headers = { "x-match-dynamic": "1", "X-Match-Cost": "0.0035", "X-Match-Path": "/pay/*" };
    const item = { ...STAT, api_path: "http://up:8080/pay/7?x=1", response_headers };
    await call("/stats/report/batch", { stats: [item, item, { ...item, response_headers: null }] });
    const entries = await readLedger(server.deps, contextOf(server.tenantId), { applicationId, by: "rule" });
    expect(entries.find(({ ruleId }) => ruleId !== null)).toMatchObject({ calls: 3, amount: "0.007" });
  });
});

describe("services of their client", () => {
  it("register, send heartbeats that say nothing, and end", async () => {
    const { body } = await call("/service/register", {
      ...SERVICE,
      serviceType: "anything",
      port: 8000,
      ips: ["10.0.0.1"],
      tags: null,
      description: null,
      metadata: null,
    });
    expect(body).toMatchObject({ code: 0, data: { instance_id: "h:1", config: {}, config_version: 1 } });
    expect(body.data["service_id"]).toEqual(expect.any(Number));
    expect(
      (await call("/service/heartbeat", { ...SERVICE, ips: null, port: null, metadata: null })).body,
    ).toMatchObject({ code: 0, data: { config: {}, config_version: 1 } });
    for (const instanceId of ["h:1", "unknown", null]) {
      expect((await call("/service/unregister", { ...SERVICE, instanceId })).body).toMatchObject({
        code: 0,
        data: { success: true },
      });
    }
    expect((await call("/service/unregister", { ...SERVICE, name: "unknown" })).body.code).toBe(0);
  });

  it.each([
    ["no name", { ...SERVICE, name: undefined }],
    ["a name that is a number", { ...SERVICE, name: 1 }],
    ["a blank name", { ...SERVICE, name: "  " }],
    ["a name of a control character", { ...SERVICE, name: "a\u0001" }],
    ["no instance", { ...SERVICE, instanceId: null }],
    ["another environment", { ...SERVICE, environment: "moon" }],
    ["a port that is none", { ...SERVICE, port: 70_000 }],
    ["a port that is a text", { ...SERVICE, port: "80" }],
    ["ips that are no list", { ...SERVICE, ips: "10.0.0.1" }],
    ["metadata that is no object", { ...SERVICE, metadata: [] }],
    ["a long name", { ...SERVICE, name: "x".repeat(200) }],
  ])("are refused with %s", async (_what, payload) => {
    for (const path of ["/service/register", "/service/heartbeat"]) {
      expect(await call(path, payload)).toMatchObject({ statusCode: 200, body: { code: 400 } });
    }
  });
});
