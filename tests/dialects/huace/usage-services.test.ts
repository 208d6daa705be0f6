import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import type { BillingRule, LedgerRow, Service, ServiceInstance, UsageCall } from "@ostiary/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aServer, type TestServer } from "../../../packages/server/src/testing/a-server.ts";
import { INSTALL_TIMEOUT, PYTHON_MISSING, PythonProgram, pythonWith } from "../../python/environment.ts";
import { VERSIONS } from "./client.ts";
import { signIn } from "./sign-in.ts";

/** Checks 29 to 37 of huace.md, part 4. */
const SHOP = { app_id: "5f0c00000000000000000001", app_secret: "shop-secret" };
const ZS = "5f0b00000000000000000001";
const LI = "5f0b00000000000000000002";
const SOON = { timeout: 8_000, interval: 50 };

let server: TestServer;
/** Something that the services call, and that says what its answers cost. */
let upstream: Server;
let upstreamUrl: string;

beforeAll(async () => {
  if (PYTHON_MISSING) return;
  server = await aServer({ listen: true });
  const file = readFileSync(join(import.meta.dirname, "installation.yaml"), "utf8").replace(
    "{ username: li,",
    `{ id: ${LI}, username: li,`,
  );
  await api("POST", "/configuration/apply", file, "application/yaml");
  upstream = createServer((_request, response) => {
    response.setHeader("X-Match-Dynamic", "1");
    response.setHeader("X-Match-Cost", "0.0035");
    response.end("{}");
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => upstream.once("listening", resolve));
  const address = upstream.address();
  upstreamUrl = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
});
afterAll(async () => {
  upstream?.close();
  await server?.[Symbol.asyncDispose]();
});

async function api<T>(method: string, path: string, body?: unknown, type = "application/json"): Promise<T> {
  const answer = await fetch(`${server.url}/api/v1${path}`, {
    method,
    headers: { authorization: server.operator, ...(body === undefined ? {} : { "content-type": type }) },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

function tokenOf(identifier: string): Promise<string> {
  return signIn({
    issuer: server.url,
    clientId: SHOP.app_id,
    clientSecret: SHOP.app_secret,
    redirectUri: "http://127.0.0.1:9001/callback",
    identifier,
    password: "correct horse battery staple",
  });
}

describe.skipIf(PYTHON_MISSING).each(VERSIONS)("a service with the unmodified client %s", (version) => {
  let program: PythonProgram;
  const name = `s-${version}`;

  beforeAll(async () => {
    const requirements = [`huace-aigc-auth-client==${version}`, "httpx==0.28.1"];
    const python = await pythonWith(`huace-httpx-${version}`, ...requirements);
    program = new PythonProgram(python, join(import.meta.dirname, "drive-service.py"));
    await order("open", { ...SHOP, base_url: `${server.url}/huace` });
  }, INSTALL_TIMEOUT);
  afterAll(() => program?.[Symbol.asyncDispose]());

  async function order<T = Record<string, unknown>>(what: string, options: object = {}): Promise<T> {
    const answer = (await program.ask({ do: what, ...options })) as { result?: T; error?: string };
    if (answer.error !== undefined || answer.result === undefined) throw new Error(answer.error);
    return answer.result;
  }

  async function service(): Promise<Service> {
    const { items } = await api<{ items: Service[] }>("GET", `/services?search=${name}`);
    expect(items).toHaveLength(1);
    return items[0] as Service;
  }
  async function instances(): Promise<ServiceInstance[]> {
    const { id } = await service();
    return (await api<{ items: ServiceInstance[] }>("GET", `/services/${id}/instances`)).items;
  }
  const startService = () =>
    order<{ service_id: number; instance_id: string }>("start", {
      name,
      port: 8000,
      ips: ["10.0.0.1"],
      heartbeat_interval: 1,
      description: "theirs",
      tags: ["theirs"],
    });

  it("29: is online with its port after heartbeats that do not name it", async () => {
    const { service_id } = await startService();
    expect(service_id).toBe((await service()).serial);
    const [{ registeredAt } = { registeredAt: "" }] = await instances();
    const later = new Date(new Date(registeredAt).getTime() + 2_500).toISOString();
    await expect.poll(async () => ((await instances())[0]?.lastSeenAt ?? "") > later, SOON).toBe(true);
    expect(await instances()).toMatchObject([{ state: "online", port: 8_000, ips: ["10.0.0.1"] }]);
  });

  it("30: gets a new configuration within one heartbeat", async () => {
    const { id, configurationVersion } = await service();
    const configuration = { level: 2, 名: "值" };
    await api("PUT", `/services/${id}/configuration`, { configuration });
    await expect
      .poll(async () => (await order<{ changes: unknown[] }>("config", { name })).changes.at(-1), SOON)
      .toEqual([configuration, configurationVersion + 1]);
    expect(await order("config", { name })).toMatchObject({ config: configuration });
  });

  it("31: keeps what the platform wrote when it registers again", async () => {
    const { id } = await service();
    await api("PATCH", `/services/${id}`, { description: "ours", tags: ["ours"], type: "mcp" });
    const again = await startService();
    expect(again).toMatchObject({ config: { level: 2 } });
    expect(await service()).toMatchObject({
      id,
      description: "ours",
      tags: ["ours"],
      type: "mcp",
      online: 1,
    });
    expect(await instances()).toHaveLength(1);
  });

  it("32: is offline after silence and back with a heartbeat; once stopped, no late one brings it back", async () => {
    const [{ instanceId } = { instanceId: "" }] = await instances();
    await order("stop", { name });
    expect((await instances())[0]?.state).toBe("unregistered");
    const late = { name, instance_id: instanceId, ips: ["10.0.0.1"] };
    expect(await order("beat", late)).toMatchObject({ config: { level: 2 }, config_version: 2 });
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect((await instances())[0]?.state).toBe("unregistered");
    await order("register", { name, instance_id: instanceId, ips: ["10.0.0.1"], port: 8000 });
    expect((await instances())[0]?.state).toBe("online");
    server.clock.advance(181);
    expect((await instances())[0]?.state).toBe("offline");
    await order("beat", late);
    await expect
      .poll(async () => (await instances())[0], SOON)
      .toMatchObject({ state: "online", port: 8_000 });
  });

  it("33: starts without a server", async () => {
    const environment = { AIGC_SERVICE_NAME: "nobody", AIGC_SERVICE_PORT: "1" };
    const nowhere = { ...SHOP, base_url: "http://127.0.0.1:9", timeout: 1 };
    expect(await order("open_from_environment", { environment, ...nowhere })).toEqual({ opened: true });
  });

  const calls = async (path: string) =>
    (await api<{ items: UsageCall[] }>("GET", `/usage/calls?limit=200&search=${encodeURIComponent(path)}`))
      .items;
  const beginReports = () =>
    order("begin_reports", {
      ...SHOP,
      api_url: `${server.url}/huace/sdk`,
      batch_size: 10,
      flush_interval: 0.2,
    });

  it("34: reports the calls of two users, and every one is kept with its user", async () => {
    const [zs, li] = await Promise.all([tokenOf("zs"), tokenOf("li")]);
    const path = `/reports/${version}`;
    await beginReports();
    const request_params = { headers: { Authorization: `Bearer ${zs}`, Cookie: "sid=cookie-secret" } };
    await order("report", {
      tokens: [zs, li, zs, li, zs, li, zs, zs, zs, zs, zs, li],
      api_path: path,
      api_method: "GET",
      status_code: 200,
      response_time: 0.125,
      request_params,
    });
    await order("report", {
      tokens: [zs],
      api_path: path,
      api_method: "GET",
      status_code: 302,
      response_time: 1,
    });
    await expect.poll(async () => (await calls(path)).length, SOON).toBe(12);
    await order("end_reports");
    const kept = await calls(path);
    expect(kept.filter(({ userId }) => userId === ZS)).toHaveLength(8);
    expect(kept.filter(({ userId }) => userId === LI)).toHaveLength(4);
    expect(kept[0]).toMatchObject({ applicationId: SHOP.app_id, status: 200, milliseconds: 125 });
    expect(JSON.stringify(kept)).not.toMatch(/cookie-secret|eyJ/);
  });

  it("35: reports a call of a bad token under the name that it gives", async () => {
    const path = `/named/${version}`;
    await beginReports();
    const request_params = { headers: { "X-Match-Username": "zs" } };
    const stat = { api_path: path, api_method: "POST", status_code: 401, response_time: 0.01 };
    await order("report", { tokens: ["junk"], ...stat, request_params });
    await expect.poll(() => calls(path), SOON).toMatchObject([{ userId: ZS, username: "zs", status: 401 }]);
    await order("end_reports");
  });

  it("36: makes a dynamic rule of what an upstream's answer costs, and charges that", async () => {
    const token = await tokenOf("zs");
    await beginReports();
    for (const [what, path] of [
      ["session_get", `/paid/requests-${version}`],
      ["httpx_get", `/paid/httpx-${version}`],
    ] as const) {
      const url = upstreamUrl + path;
      expect(await order(what, { url: `${url}?q=1`, token, ...SHOP })).toEqual({ status: 200 });
      expect(await order(what, { url, token, ...SHOP })).toEqual({ status: 200 });
      await expect.poll(async () => (await calls(path)).length, SOON).toBe(2);
      const { items: rules } = await api<{ items: BillingRule[] }>("GET", `/billing-rules?search=${path}`);
      expect(rules).toMatchObject([{ path: url, kind: "dynamic", applicationId: SHOP.app_id }]);
      const { items } = await api<{ items: LedgerRow[] }>("GET", "/usage/ledger?by=rule,user");
      const charged = items.find(({ ruleId }) => ruleId === rules[0]?.id);
      expect(charged).toMatchObject({ userId: ZS, calls: 2, amount: "0.007" });
    }
    await order("end_reports");
  });
});
