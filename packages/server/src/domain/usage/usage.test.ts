import type { ReportedCall } from "@ostiary/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { holding, refusal, type TwoTenants, twoTenants } from "../../testing/two-tenants.ts";
import { createApplication } from "../applications/index.ts";
import {
  createBillingRule,
  deleteBillingRule,
  expireUsage,
  listBillingRules,
  listCalls,
  readLedger,
  reportCalls,
  rollUpUsage,
  summarizeUsage,
  updateBillingRule,
} from "./index.ts";

let world: TwoTenants;
let serial = 0;
beforeAll(async () => {
  world = await twoTenants();
});
afterAll(() => world?.[Symbol.asyncDispose]());

/** An application of its own, so that tests do not see each other's calls. */
async function anApplication() {
  serial += 1;
  const input = { slug: `app-${serial}`, name: "App" };
  return (await createApplication(world.deps, world.context, input)).application.id;
}

function aCall(path: string, other: Partial<ReportedCall> = {}): ReportedCall {
  return { method: "GET", path, status: 200, milliseconds: 10, ...other };
}

function report(applicationId: string, calls: ReportedCall[], idempotencyKey?: string) {
  return reportCalls(world.deps, world.context, applicationId, { calls, idempotencyKey });
}

const ledger = (applicationId: string, by = "rule") =>
  readLedger(world.deps, world.context, { applicationId, by });
const kept = async (applicationId: string, limit = 50) =>
  (await listCalls(world.deps, world.context, { applicationId }, limit)).items;

describe("reported calls", () => {
  it("are kept without credentials, and with ids out of their route", async () => {
    const app = await anApplication();
    const userId = await world.aUser("reporter");
    await report(app, [
      aCall("/orders/1234/items?token=abc", {
        method: "POST",
        status: 404,
        milliseconds: 1.5,
        username: "REPORTER",
        error: "Bearer abcdef is wrong\0\ud800",
        parameters: {
          headers: { Authorization: "Bearer abc", Cookie: "a=b", Accept: "*/*" },
          request_body: 'name=x&password=hunter2 {"api_key": "k1234"} eyJhbGciOi.eyJzdWIi.c2ln',
        },
      }),
    ]);
    const [call] = await kept(app);
    expect(call).toMatchObject({
      userId,
      username: "REPORTER",
      path: "/orders/1234/items",
      route: "/orders/{id}/items",
      milliseconds: 1.5,
      error: "[redacted] is wrong\ufffd",
      parameters: { headers: { Authorization: "[redacted]", Cookie: "[redacted]", Accept: "*/*" } },
      cost: "0",
      ruleId: null,
    });
    expect(JSON.stringify(call)).not.toMatch(/hunter2|k1234|eyJ|abc"/);
  });

  it("are bounded in size, however much was sent", async () => {
    const app = await anApplication();
    const big = { request_body: "x".repeat(1_000_000), list: new Array(10_000).fill("abcdefghij") };
    await report(app, [aCall(`/${"p".repeat(2_000)}`, { parameters: big })]);
    const [call] = await kept(app);
    expect(JSON.stringify(call).length).toBeLessThan(14_000);
  });

  it("under a key count once, also when sent at the same time", async () => {
    const app = await anApplication();
    const calls = [aCall("/a"), aCall("/b")];
    const answers = await Promise.all(Array.from({ length: 8 }, () => report(app, calls, "key-1")));
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(await ledger(app)).toEqual([{ ruleId: null, calls: 2, amount: "0" }]);
    expect(await refusal(report(app, [aCall("/c")], "key-1"))).toBe("idempotency.key_reused");
  });

  it("may be a week old and not older", async () => {
    const app = await anApplication();
    const at = (days: number) => new Date(world.deps.clock.now().getTime() - days * 86_400_000).toISOString();
    await report(app, [aCall("/old", { occurredAt: at(6.9) })]);
    expect(await refusal(report(app, [aCall("/old", { occurredAt: at(7.1) })]))).toBe("usage.too_old");
    expect(await refusal(report(app, [aCall("/new", { occurredAt: at(-1) })]))).toBe("usage.too_old");
    expect(await ledger(app, "day")).toEqual([{ day: at(6.9).slice(0, 10), calls: 1, amount: "0" }]);
  });

  it("are one's own application's, or need a permission", async () => {
    const app = await anApplication();
    const own = { ...holding(world.context, []), actor: { type: "application" as const, id: app } };
    await reportCalls(world.deps, own, app, { calls: [aCall("/mine")] });
    const other = await anApplication();
    expect(await refusal(reportCalls(world.deps, own, other, { calls: [aCall("/x")] }))).toBe(
      "permission.denied",
    );
    expect(await refusal(reportCalls(world.deps, world.foreign, app, { calls: [aCall("/x")] }))).toBe(
      "application.not_found",
    );
    expect(await refusal(listCalls(world.deps, holding(world.context, []), {}, 1))).toBe("permission.denied");
  });
});

describe("a billing rule", () => {
  it("charges its price exactly, and the most specific one wins", async () => {
    const app = await anApplication();
    const { deps, context } = world;
    const rule = (path: string, price: string, other = {}) =>
      createBillingRule(deps, context, { applicationId: app, path, price, ...other });
    const all = await rule("/v1/**", "1");
    const any = await rule("/v1/{model}/chat", "0.1");
    const word = await rule("/v1/big/chat", "0.000000000000000001");
    const post = await rule("/v1/big/chat", "7", { method: "POST" });
    const address = await rule("https://api.example.com/v1/*", "3");
    await report(app, [
      aCall("/v1/x/y/z"),
      aCall("/v1/small/chat"),
      aCall("/v1/small/chat"),
      aCall("/v1/small/chat"),
      aCall("/v1/big/chat"),
      aCall("/v1/big/chat", {
        method: "POST",
        responseHeaders: { "X-Match-Dynamic": "1", "X-Match-Cost": "99" },
      }),
      aCall("HTTPS://API.example.com/v1/chat?x=1"),
      aCall("https://other.example.com/v1/chat"),
      aCall("/v2"),
    ]);
    const amounts = new Map((await ledger(app)).map((row) => [row.ruleId, [row.calls, row.amount]]));
    expect(Object.fromEntries(amounts)).toEqual({
      [all.id]: [2, "2"],
      [any.id]: [3, "0.3"],
      [word.id]: [1, "0.000000000000000001"],
      [post.id]: [1, "7"],
      [address.id]: [1, "3"],
      null: [1, "0"],
    });
  });

  it("of the application goes before one of all applications, and a disabled one charges nothing", async () => {
    const app = await anApplication();
    const { deps, context } = world;
    const shared = await createBillingRule(deps, context, { path: "/shared/x", price: "5" });
    const own = await createBillingRule(deps, context, {
      applicationId: app,
      path: "/shared/**",
      price: "2",
    });
    await report(app, [aCall("/shared/x")]);
    await updateBillingRule(deps, context, own.id, { status: "disabled" }, 1);
    await report(app, [aCall("/shared/x")]);
    expect((await ledger(app)).some(({ ruleId }) => ruleId === shared.id)).toBe(true);
    await deleteBillingRule(deps, context, shared.id);
    expect(await refusal(deleteBillingRule(deps, context, shared.id))).toBe("billing_rule.not_found");
    const charged = (await ledger(app)).find(({ ruleId }) => ruleId === own.id);
    expect(charged?.amount).toBe(String(2 * Number(charged?.calls)));
  });

  it("is refused twice, with a bad pattern, and for nobody's application", async () => {
    const app = await anApplication();
    const { deps, context } = world;
    const make = (path: string, applicationId = app) =>
      refusal(createBillingRule(deps, context, { applicationId, path, price: "1" }));
    expect(await make("/twice")).toBe("fulfilled");
    expect(await make("/twice")).toBe("billing_rule.exists");
    for (const bad of ["/a*", "/**/b", "/{a}{b}", "/{}"])
      expect(await make(bad)).toBe("billing_rule.path_invalid");
    expect(await make("/x", "0".repeat(24))).toBe("application.not_found");
  });

  it("is made once from the headers of an answer, in any case, and charges what each answer says", async () => {
    const app = await anApplication();
    const headers = (cost: string) => ({
      "x-match-dynamic": "1",
      "X-MATCH-COST": cost,
      "x-match-path": "/chat/:model",
    });
    await Promise.all(
      ["0.0035", "5e-05", "1.2E1", "-1", "junk"].map((cost) =>
        report(app, [aCall("http://up.example/chat/gpt", { responseHeaders: headers(cost) })]),
      ),
    );
    const { items } = await listBillingRules(world.deps, world.context, { applicationId: app });
    expect(items).toMatchObject([{ path: "http://up.example/chat/{model}", kind: "dynamic", price: "0" }]);
    expect(await ledger(app)).toEqual([{ ruleId: items[0]?.id, calls: 5, amount: "12.00355" }]);
  });

  it("is static and free when the answer's headers do not say dynamic", async () => {
    const app = await anApplication();
    const responseHeaders = {
      "X-Match-Dynamic": "0",
      "X-Match-Cost": "3",
      "X-Match-Rule": "Free\u0000 thing",
    };
    await report(app, [aCall("/free/123", { responseHeaders })]);
    const { items } = await listBillingRules(world.deps, world.context, { applicationId: app });
    expect(items).toMatchObject([{ path: "/free/{id}", kind: "static", price: "0", name: "Free  thing" }]);
    expect(await ledger(app)).toMatchObject([{ calls: 1, amount: "0" }]);
  });
});

describe("sums", () => {
  it("are the same before and after rolling up, and have percentiles", async () => {
    const app = await anApplication();
    const calls = Array.from({ length: 100 }, (_, index) =>
      aCall("/sum", { milliseconds: index < 94 ? 10 : 1_000, status: index === 0 ? 500 : 200 }),
    );
    await report(app, calls);
    const { deps, context } = world;
    const read = () =>
      Promise.all([
        summarizeUsage(deps, context, { applicationId: app, grain: "hour", by: "route,status" }),
        summarizeUsage(deps, context, { applicationId: app }),
        ledger(app, "day,user"),
      ]);
    const before = await read();
    await rollUpUsage(deps);
    expect(await read()).toEqual(before);
    await rollUpUsage(deps);
    await report(app, calls.slice(0, 1));
    const [hours, [total]] = await read();
    expect(hours).toMatchObject([
      { at: "2026-01-01T00:00:00Z", route: "/sum", status: 200, calls: 99, failures: 0 },
      { status: 500, calls: 2, failures: 2 },
    ]);
    expect(total).toMatchObject({ calls: 101, failures: 2, cost: "0" });
    expect(total?.p50).toBeGreaterThan(9);
    expect(total?.p50).toBeLessThan(11);
    expect(total?.p99).toBeGreaterThan(900);
    expect(total?.p99).toBeLessThan(1_100);
  });

  it("of nothing are nothing", async () => {
    const app = await anApplication();
    expect(await summarizeUsage(world.deps, world.context, { applicationId: app })).toEqual([]);
  });
});

it("calls go after a month with their day's partition; the ledger stays", async () => {
  const app = await anApplication();
  await report(app, [aCall("/keep")]);
  await rollUpUsage(world.deps);
  world.clock.advance(32 * 86_400);
  await expireUsage(world.deps);
  expect(await kept(app)).toEqual([]);
  await report(app, [aCall("/keep")]);
  expect(await kept(app)).toHaveLength(1);
  expect(await ledger(app, "application")).toEqual([{ applicationId: app, calls: 2, amount: "0" }]);
});
