import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createBkAuth,
  MemorySession,
  optionsFromEnvironment,
} from "../../../packages/sdk/src/blueking/index.ts";
import { createApplication } from "../../../packages/server/src/domain/applications/index.ts";
import { findSessionByCookie } from "../../../packages/server/src/domain/sessions/index.ts";
import { issueTicket } from "../../../packages/server/src/domain/tickets/index.ts";
import { createUser } from "../../../packages/server/src/domain/users/index.ts";
import { aServer, type TestServer } from "../../../packages/server/src/testing/a-server.ts";
import { signInForTest } from "../../../packages/server/src/testing/api-client.ts";
import { contextOf } from "../../../packages/server/src/testing/test-deps.ts";
import { INSTALL_TIMEOUT } from "../../python/environment.ts";
import { type Django, missingFor, type Release, startDjango } from "./django.ts";
import { type Asked, LoginService } from "./login-service.ts";
import { startNodeApplication } from "./node-application.ts";
import { otherwiseIn2, SCENARIOS, type Scenario } from "./scenarios.ts";

const RUNNABLE = (["4.4.0", "2.0.3"] as const).filter((release) => {
  const missing = missingFor(release);
  if (missing) console.warn(`Skipped: ${missing}`);
  return missing === undefined;
});

/** What both sides know of a user; 2.x has no name to show, tenant and time zone. */
const FACTS_OF_2 = ["bkpaas_user_id", "provider_type", "nickname"];
const FACTS = [...FACTS_OF_2, "display_name", "tenant_id", "time_zone"];
const factsOf = (release: Release) => (release === "2.0.3" ? FACTS_OF_2 : FACTS);
const APP = { BKAUTH_TOKEN_APP_CODE: "shop", BKAUTH_TOKEN_SECRET_KEY: "the-secret-of-the-shop" };
const QUIET = { warn: () => undefined, error: () => undefined };

/** What a visit came to: who it was taken for (or the refusal), what is known of the user, what the service heard. */
interface Verdict {
  who: string;
  facts?: Record<string, unknown>;
  asked: Asked[];
}

/** A browser at one application, which keeps the session's cookie. */
function aBrowser(
  url: string,
  facts: readonly string[],
): (cookie: string | undefined) => Promise<Omit<Verdict, "asked">> {
  let session = "";
  return async (cookie) => {
    const header = [cookie, session].filter(Boolean).join("; ");
    const response = await fetch(`${url}/whoami`, { headers: { cookie: header } });
    for (const line of response.headers.getSetCookie())
      if (line.startsWith("sessionid=")) session = line.split(";")[0] ?? "";
    if (response.status >= 500) return { who: String(response.status) };
    const page = (await response.json()) as Record<string, unknown>;
    if (response.status !== 200) return { who: `${response.status} ${page["detail"]}` };
    if (page["authenticated"] !== true) return { who: "anonymous" };
    return {
      who: String(page["username"]),
      facts: Object.fromEntries(facts.map((name) => [name, page[name]])),
    };
  };
}

/**
 * Django's settings, which both sides are given as they are. 2.x shows no credentials of the application, and the
 * TypeScript middleware none when it has none.
 */
function settingsOf(
  release: Release,
  { mode = "token", timeout = 300 }: Scenario,
  address: string,
): Record<string, unknown> {
  const isGateway = mode === "gateway" || mode === "tenants";
  return {
    ...(release === "2.0.3" && !isGateway ? {} : APP),
    BKAUTH_BACKEND_TYPE: mode === "ticket" ? "bk_ticket" : "bk_token",
    BKAUTH_USER_COOKIE_VERIFY_URL: isGateway ? null : address,
    BKAUTH_USER_INFO_APIGW_URL: isGateway ? address : null,
    BKAUTH_ENABLE_MULTI_TENANT_MODE: mode === "tenants",
    BKAUTH_SESSION_TIMEOUT: timeout,
  };
}

/** Plays the visits of a scenario against one application. */
async function play(
  service: LoginService,
  who: string,
  url: string,
  scenario: Scenario,
  facts: readonly string[],
): Promise<Verdict[]> {
  const visit = aBrowser(url, facts);
  const verdicts: Verdict[] = [];
  for (const { cookie, service: behaviour, wait } of scenario.visits) {
    if (behaviour !== undefined) service.program(who, behaviour);
    if (wait !== undefined) await new Promise((resolve) => setTimeout(resolve, wait));
    service.asked(who).length = 0;
    const verdict = await visit(cookie);
    verdicts.push({ ...verdict, asked: service.asked(who).map(withoutCookie) });
  }
  return verdicts;
}

/** Only 4.x keeps the service's cookies and shows them with the tickets of others; a test of its own says that we do not. */
const withoutCookie = (asked: Asked): Asked => ({ ...asked, cookie: undefined });

const inShort = ({ who, asked }: Verdict) => who + (asked.length === 0 ? "" : `, ${asked.length} call`);

describe.each(RUNNABLE)("the middleware in TypeScript and bkpaas-auth %s", (release) => {
  let service: LoginService;
  let django: Django;
  beforeAll(async () => {
    service = await LoginService.start();
    django = await startDjango({ release, settings: {} });
  }, INSTALL_TIMEOUT);
  afterAll(async () => {
    await django?.stop();
    await service?.[Symbol.asyncDispose]();
  });

  async function bothSides(scenario: Scenario): Promise<{ python: Verdict[]; ours: Verdict[] }> {
    const settings = (who: string) => settingsOf(release, scenario, `${service.url}/${who}/is_login/`);
    await django.configure(settings("python"));
    await using node = await startNodeApplication({
      ...optionsFromEnvironment(settings("node")),
      logger: QUIET,
    });
    const [python, ours] = await Promise.all([
      play(service, "python", django.url, scenario, factsOf(release)),
      play(service, "node", node.url, scenario, factsOf(release)),
    ]);
    return { python, ours };
  }

  it("are compared on at least forty scenarios", () => {
    expect(SCENARIOS.length).toBeGreaterThanOrEqual(40);
    expect(new Set(SCENARIOS.map(({ name }) => name)).size).toBe(SCENARIOS.length);
  });

  const ofThis = (scenario: Scenario) => (release === "2.0.3" ? otherwiseIn2(scenario) : undefined);
  const byDesign = SCENARIOS.filter((scenario) => ofThis(scenario) === undefined);

  it.each(byDesign.filter(({ improved }) => improved === undefined))(
    "agree, and ask the same, on $name",
    async (scenario) => {
      const { python, ours } = await bothSides(scenario);
      expect(ours).toEqual(python);
    },
  );

  it.each(SCENARIOS.flatMap((scenario) => (ofThis(scenario) ? [{ scenario, ...ofThis(scenario) }] : [])))(
    "differ as the releases do on $scenario.name: $why",
    async ({ scenario, verdicts }) => {
      const { python, ours } = await bothSides(scenario);
      expect(python.map(inShort)).toEqual(verdicts);
      expect(ours.map(inShort)).not.toEqual(verdicts);
    },
  );

  it.each(byDesign.filter(({ improved }) => improved !== undefined))(
    "differ on purpose on $name: $improved.why",
    async (scenario) => {
      const { python, ours } = await bothSides(scenario);
      expect(ours.map(inShort)).toEqual(scenario.improved?.verdicts);
      expect(python.map(inShort), "the difference is still there").not.toEqual(scenario.improved?.verdicts);
    },
  );

  // 2.x stores what pickle makes of a token, which nobody but Python should read.
  describe("share a store of sessions", () => {
    const SHARED: Scenario = { name: "shared", visits: [] };
    const store = async (code: string): Promise<string> => {
      const script = `import json\nfrom django.contrib.sessions.backends.db import SessionStore\n${code}`;
      const { exit, output } = await django.run("shell", "-c", script);
      if (exit !== 0) throw new Error(output);
      return output.trim().split("\n").at(-1) ?? "";
    };
    const settings = () => settingsOf(release, SHARED, `${service.url}/shared/is_login/`);
    const auth = () =>
      createBkAuth({ ...optionsFromEnvironment(settings()), sessionForm: "python", logger: QUIET });

    beforeAll(async () => {
      service.program("shared", {
        body: { result: true, code: 0, message: "", data: { bk_username: "张三" } },
      });
      await django.configure(settings());
    });

    it.skipIf(release === "2.0.3")(
      "Django takes a session over that Node opened, without asking",
      async () => {
        const session = new MemorySession();
        await auth().authenticate({ cookies: { bk_token: "shared-1" }, session });
        const data = Buffer.from(JSON.stringify(Object.fromEntries(session.data))).toString("base64");
        const key = await store(
          `import base64\ns = SessionStore()\ns.update(json.loads(base64.b64decode("${data}")))\ns.save()\nprint(s.session_key)`,
        );
        service.asked("shared").length = 0;
        const response = await fetch(`${django.url}/whoami`, {
          headers: { cookie: `bk_token=shared-1; sessionid=${key}` },
        });
        expect(await response.json()).toMatchObject({ authenticated: true, username: "张三", session: key });
        expect(service.asked("shared")).toEqual([]);
      },
    );

    it.skipIf(release === "2.0.3")(
      "Node takes a session over that Django opened, without asking",
      async () => {
        const visited = await fetch(`${django.url}/whoami`, { headers: { cookie: "bk_token=shared-2" } });
        const { session: key } = (await visited.json()) as { session: string | null };
        const cookie = visited.headers.getSetCookie().find((line) => line.startsWith("sessionid="));
        const id = key ?? /sessionid=([^;]+)/.exec(cookie ?? "")?.[1];
        const text = await store(`print(json.dumps(dict(SessionStore("${id}").items())))`);
        const session = new MemorySession();
        for (const [name, value] of Object.entries(JSON.parse(text) as object)) session.set(name, value);
        service.asked("shared").length = 0;
        const outcome = await auth().authenticate({ cookies: { bk_token: "shared-2" }, session });
        expect(outcome).toMatchObject({ outcome: "ok", isFresh: false, user: { username: "张三" } });
        expect(service.asked("shared")).toEqual([]);
      },
    );
  });

  it("differ in that only 4.x shows one user's cookies of the service with the ticket of another", async () => {
    const scenario = SCENARIOS.find(({ name }) => name === "a service that sets a cookie");
    expect(scenario).toBeDefined();
    if (scenario !== undefined) await bothSides(scenario);
    const last = (who: string) => service.asked(who).at(-1)?.cookie;
    expect(last("node")).toBeUndefined();
    if (release === "2.0.3") expect(last("python")).toBeUndefined();
    else expect(last("python")).toContain("spy=1");
  });
});

describe.each(RUNNABLE)("both against Ostiary, with bkpaas-auth %s", (release) => {
  let server: TestServer;
  let django: Django;
  let secret: string;
  let ticket: string;
  let ended: string;

  beforeAll(async () => {
    server = await aServer({ listen: true });
    const { deps, tenantId } = server;
    const context = contextOf(tenantId);
    const user = await createUser(deps, context, {
      username: "admin",
      email: "admin@example.com",
      name: "张三",
      profile: { zoneinfo: "Europe/Berlin" },
    });
    const shop = await createApplication(deps, context, { slug: "shop", name: "Shop" });
    secret = String(shop.secret);
    ticket = await aTicket(user.id);
    ended = await aTicket(user.id);
    await fetch(`${server.url}/blueking/login/logout/`, {
      headers: { cookie: `bk_token=${ended}` },
      redirect: "manual",
    });
    django = await startDjango({ release, settings: {} });
  }, INSTALL_TIMEOUT);
  afterAll(async () => {
    await django?.stop();
    await server?.[Symbol.asyncDispose]();
  });

  async function aTicket(userId: string): Promise<string> {
    const { deps, tenantId } = server;
    const { cookie } = await signInForTest(server, userId, ["openid"]);
    const session = await findSessionByCookie(deps, tenantId, cookie);
    if (!session) throw new Error("nobody is signed in");
    const rules = { slot: "blueking", seconds: 86_400, idleSeconds: 7_200, atMost: null };
    return (await issueTicket(deps, contextOf(tenantId), session, rules)).ticket;
  }

  const MODES: [NonNullable<Scenario["mode"]>, string][] = [
    ["token", "/blueking/login/api/v3/is_login/"],
    ["ticket", "/blueking/user/is_login/"],
    ["gateway", "/blueking/prod/login/api/v3/open/bk-tokens/userinfo/"],
    ["tenants", "/blueking/prod/login/api/v3/open/bk-tokens/userinfo/"],
  ];
  const served = MODES.filter(([mode]) => release !== "2.0.3" || mode === "token" || mode === "ticket");

  it.each(served)("take the same visitors for the same users, in %s mode", async (mode, path) => {
    const name = mode === "ticket" ? "bk_ticket" : "bk_token";
    const settings = {
      ...settingsOf(release, { name: "", mode, visits: [] }, server.url + path),
      BKAUTH_TOKEN_APP_CODE: "shop",
      BKAUTH_TOKEN_SECRET_KEY: secret,
    };
    await django.configure(settings);
    await using node = await startNodeApplication({ ...optionsFromEnvironment(settings), logger: QUIET });
    const seen: string[] = [];
    for (const value of [ticket, ticket.replaceAll("-", "%2D"), ended, "unknown", ""]) {
      const cookie = `${name}=${value}`;
      const visit = (url: string) => aBrowser(url, factsOf(release))(cookie);
      const [python, ours] = await Promise.all([visit(django.url), visit(node.url)]);
      expect(ours, `for ${value}`).toEqual(python);
      seen.push(ours.who);
    }
    expect(seen).toEqual(["admin", "admin", "anonymous", "anonymous", "anonymous"]);
  });
});
