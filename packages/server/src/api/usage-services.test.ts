import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aServer, type TestServer } from "../testing/a-server.ts";
import { callApi } from "../testing/api-client.ts";
import { toCsv } from "./csv.ts";

let server: TestServer;
let applicationId: string;

beforeAll(async () => {
  server = await aServer();
  applicationId = (await call("POST", "/applications", { body: { slug: "shop", name: "Shop" } })).json().id;
});
afterAll(() => server?.[Symbol.asyncDispose]());

const call = (...args: Parameters<typeof callApi> extends [unknown, ...infer Rest] ? Rest : never) =>
  callApi(server, ...args);
const aCall = { method: "GET", path: "/things/1", status: 200, milliseconds: 3 };

describe("reports over the API", () => {
  it("count once under an idempotency key", async () => {
    const body = { applicationId, calls: [aCall, aCall] };
    const headers = { "idempotency-key": "k1" };
    const first = await call("POST", "/usage/calls", { body, headers });
    const again = await call("POST", "/usage/calls", { body, headers });
    expect([first.statusCode, first.json(), first.headers["idempotent-replayed"]]).toEqual([
      200,
      { accepted: 2 },
      undefined,
    ]);
    expect([again.statusCode, again.json(), again.headers["idempotent-replayed"]]).toEqual([
      200,
      { accepted: 2 },
      "true",
    ]);
    const other = await call("POST", "/usage/calls", { body: { ...body, calls: [aCall] }, headers });
    expect([other.statusCode, other.json().code]).toEqual([422, "idempotency.key_reused"]);
    const { items } = (await call("GET", "/usage/ledger?by=application")).json();
    expect(items).toEqual([{ applicationId, calls: 2, amount: "0" }]);
  });

  it.each([
    ["no calls", { calls: [] }, 400],
    ["an unknown field", { calls: [{ ...aCall, extra: 1 }] }, 400],
    ["a status that is a text", { calls: [{ ...aCall, status: "200" }] }, 400],
    ["a time that was too long ago", { calls: [{ ...aCall, occurredAt: "2001-01-01T00:00:00Z" }] }, 400],
    ["too many calls", { calls: Array.from({ length: 1_001 }, () => aCall) }, 400],
    ["another's application", { applicationId: "0".repeat(24), calls: [aCall] }, 404],
  ])("are refused with %s", async (_what, body, status) => {
    expect((await call("POST", "/usage/calls", { body: { applicationId, ...body } })).statusCode).toBe(
      status,
    );
  });

  it("say which application they are of", async () => {
    const answer = await call("POST", "/usage/calls", { body: { calls: [aCall] } });
    expect([answer.statusCode, answer.json().errors[0].path]).toEqual([400, "/applicationId"]);
  });

  it("can be read as calls, sums and a table", async () => {
    const { items } = (await call("GET", "/usage/calls?limit=1")).json();
    expect(items).toMatchObject([{ route: "/things/{id}", milliseconds: 3 }]);
    const table = await call("GET", "/usage/summary?by=route,status&grain=day&format=csv");
    expect(table.headers["content-type"]).toBe("text/csv; charset=utf-8");
    expect(table.body).toMatch(
      /^at,route,status,calls,failures,cost,average,p50,p95,p99\r\n.*T00:00:00Z,\/things\/\{id\},200,2,0,0,3,/,
    );
    expect((await call("GET", "/usage/summary?by=password")).statusCode).toBe(400);
  });
});

describe("billing rules over the API", () => {
  it("are made, changed and deleted like other things", async () => {
    const body = { applicationId, path: "/paid/*", price: "0.10" };
    const made = await call("POST", "/billing-rules", { body });
    expect([made.statusCode, made.json().price, made.headers.etag]).toEqual([201, "0.1", '"1"']);
    const path = `/billing-rules/${made.json().id}`;
    const changed = await call("PATCH", path, { body: { price: "2" }, headers: { "if-match": '"1"' } });
    expect(changed.json()).toMatchObject({ price: "2", version: 2 });
    expect(
      (await call("PATCH", path, { body: { price: "3" }, headers: { "if-match": '"1"' } })).statusCode,
    ).toBe(412);
    for (const price of ["-1", "1e3", "01", "", "0.1234567890123456789", 1]) {
      expect((await call("PATCH", path, { body: { price } })).statusCode).toBe(400);
    }
    expect((await call("DELETE", path)).statusCode).toBe(204);
    expect((await call("GET", path)).statusCode).toBe(404);
  });
});

describe("services over the API", () => {
  it("register, are configured, and hear of it while they wait", async () => {
    const body = { applicationId, name: "billing", instanceId: "a:1", port: 1 };
    const { serviceId } = (await call("POST", "/services/register", { body })).json();
    const path = `/services/${serviceId}`;
    expect((await call("GET", path)).json()).toMatchObject({
      name: "billing",
      environment: "pro",
      online: 1,
    });
    expect((await call("GET", `${path}/configuration?after=1&wait=0`)).statusCode).toBe(204);
    const waiting = call("GET", `${path}/configuration?after=1&wait=20`);
    const configuration = { on: true };
    const written = await call("PUT", `${path}/configuration`, { body: { configuration, note: "go" } });
    expect([written.json(), written.headers.etag]).toEqual([{ version: 2, configuration }, '"2"']);
    expect((await waiting).json()).toEqual({ version: 2, configuration });
    expect((await call("GET", `${path}/configurations`)).json()).toMatchObject({
      items: [{ version: 2, note: "go", actorType: "operator" }],
      next: null,
    });
    expect((await call("DELETE", path)).json().code).toBe("service.running");
    expect((await call("POST", "/services/heartbeat", { body })).json()).toMatchObject({ serviceId });
    expect(
      (
        await call("POST", "/services/unregister", {
          body: { applicationId, name: "billing", instanceId: "a:1" },
        })
      ).statusCode,
    ).toBe(204);
    expect((await call("GET", `${path}/instances`)).json().items).toMatchObject([{ state: "unregistered" }]);
    expect((await call("DELETE", path)).statusCode).toBe(204);
  });
});

it("a table quotes what it must, and is no formula", () => {
  expect(
    toCsv([
      { a: '=1+1,"x"', b: null, c: 1.5 },
      { a: "-x\r\ny", b: true, c: 0 },
    ]),
  ).toBe('a,b,c\r\n"\'=1+1,""x""",,1.5\r\n"\'-x\r\ny",true,0\r\n');
  expect(toCsv([])).toBe("");
});
