import { IdentityError } from "@ostiary/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NO_PERMISSIONS, type RequestContext } from "../../kernel/context.ts";
import { newSecret } from "../../kernel/identifiers.ts";
import type { LimitRule } from "../../kernel/ports.ts";
import { aDatabase, type TestDatabase } from "../../testing/a-database.ts";
import { type FrozenClock, frozenClock } from "../../testing/frozen-clock.ts";
import { contextOf, testDeps } from "../../testing/test-deps.ts";
import { createApplication } from "../applications/index.ts";
import type { Deps } from "../deps.ts";
import { findSession, findSessionByCookie, listSessionsOfUser } from "../sessions/index.ts";
import { ensureDefaultTenant, updateSettings } from "../tenants/index.ts";
import { createUser } from "../users/index.ts";
import {
  changeIdentifier,
  checkSetUpLink,
  choosePassword,
  completeSetUp,
  createSetUpLink,
  type Flow,
  findFlow,
  giveIdentifier,
  givePassword,
  signInDirectly,
  signUp,
  startFlow,
  takeFinishedFlow,
} from "./index.ts";

const PASSWORD = "correct horse battery staple";
let test: TestDatabase;
let clock: FrozenClock;
let deps: Deps;
let admin: RequestContext;
let visitor: RequestContext;
let tenant: Awaited<ReturnType<typeof ensureDefaultTenant>>;
let ann: string;

beforeAll(async () => {
  test = await aDatabase();
  clock = frozenClock();
  deps = testDeps(test.database, { clock });
  tenant = await ensureDefaultTenant(deps);
  admin = contextOf(tenant.id);
  await updateSettings(deps, admin, { signUp: "open" });
  tenant = await ensureDefaultTenant(deps);
  visitor = { ...admin, actor: { type: "anonymous", id: null }, permissions: NO_PERMISSIONS };
  ann = (await createUser(deps, admin, { username: "ann", password: { plain: PASSWORD } })).id;
});
afterAll(() => test[Symbol.asyncDispose]());

const begin = (browser: string, applicationId?: string) =>
  startFlow(deps, visitor, { browser, applicationId, continuation: { protocol: "test" } });
const code = (work: Promise<unknown>) =>
  work.then(
    () => "ok",
    (error: unknown) => (error instanceof IdentityError ? error.code : error),
  );
const sessions = async () =>
  (await listSessionsOfUser(deps, { ...admin, actor: { type: "user", id: ann } }, ann, {})).items.length;

describe("a sign-in", () => {
  it("is finished by the right password, once, in the browser that began it", async () => {
    const browser = newSecret();
    const flow = await begin(browser);
    expect(await code(takeFinishedFlow(deps, visitor, flow.id, browser))).toBe("flow.not_found");
    const { cookie, flow: done } = await givePassword(deps, visitor, tenant, flow, {
      identifier: "ANN ",
      password: PASSWORD,
    });
    expect(done.state).toBe("authenticated");
    expect((await findSessionByCookie(deps, tenant.id, cookie))?.userId).toBe(ann);
    expect(await code(takeFinishedFlow(deps, visitor, flow.id, newSecret()))).toBe("flow.not_found");
    const taken = await Promise.all(
      [1, 2, 3, 4].map(() => code(takeFinishedFlow(deps, visitor, flow.id, browser))),
    );
    expect(taken.sort()).toEqual(["flow.not_found", "flow.not_found", "flow.not_found", "ok"]);
  });

  it("is begun from one address often enough for an office, and not until the disk is full", async () => {
    const counted: string[] = [];
    const consume = async ({ name, local }: LimitRule, key: string) => {
      counted.push(`${name} ${key} ${local}`);
      return counted.length > 1 ? 9 : 0;
    };
    const limited = { ...deps, limits: { ...deps.limits, consume } };
    const from = (ip: string | null) =>
      code(startFlow(limited, { ...visitor, ip }, { browser: newSecret(), continuation: {} }));
    expect(await from("2001:db8::1")).toBe("ok");
    expect(await from("2001:db8::2")).toBe("request.rate_limited");
    expect(await from(null)).toBe("ok");
    expect(counted).toEqual(Array(2).fill("sign-in-flow 2001:db8:0:0::/64 true"));
  });

  it("does not exist in another browser, another tenant, or after an hour", async () => {
    const browser = newSecret();
    const flow = await begin(browser);
    expect(await code(findFlow(deps, visitor, flow.id, newSecret()))).toBe("flow.not_found");
    expect(await code(findFlow(deps, visitor, flow.id, undefined))).toBe("flow.not_found");
    expect(await code(findFlow(deps, { ...visitor, tenantId: "0".repeat(24) }, flow.id, browser))).toBe(
      "flow.not_found",
    );
    expect(await code(findFlow(deps, visitor, "x' or 1=1", browser))).toBe("flow.not_found");
    clock.advance(3_601);
    expect(await code(findFlow(deps, visitor, flow.id, browser))).toBe("flow.not_found");
  });

  it("makes one session when two tabs send the right password at once", async () => {
    const flow = await begin(newSecret());
    const before = await sessions();
    const step = { identifier: "ann", password: PASSWORD };
    const tabs = await Promise.all(
      [1, 2, 3].map(() => code(givePassword(deps, visitor, tenant, flow, step))),
    );
    expect(tabs.sort()).toEqual(["flow.not_found", "flow.not_found", "ok"]);
    expect(await sessions()).toBe(before + 1);
  });

  it("leaves no session to somebody the application does not admit", async () => {
    const { application } = await createApplication(deps, admin, {
      name: "Shop",
      slug: "shop",
      access: "assigned",
    });
    const flow = await begin(newSecret(), application.id);
    const before = await sessions();
    const step = { identifier: "ann", password: PASSWORD };
    expect(await code(givePassword(deps, visitor, tenant, flow, step))).toBe("application.access_denied");
    const direct = { applicationId: application.id, identifier: "ann", password: PASSWORD };
    expect(await code(signInDirectly(deps, visitor, tenant, direct))).toBe("application.access_denied");
    expect(await sessions()).toBe(before);
  });
});

describe("a password that must be changed", () => {
  const NEXT = "another good password";
  let number = 0;
  const aTemporary = async () => {
    const username = `temp-${++number}`;
    await createUser(deps, admin, { username, password: { plain: PASSWORD }, mustChangePassword: true });
    return username;
  };

  it("gives no session until another one is chosen", async () => {
    const identifier = await aTemporary();
    const browser = newSecret();
    const first = await givePassword(deps, visitor, tenant, await begin(browser), {
      identifier,
      password: PASSWORD,
    });
    expect([first.flow.state, first.cookie, first.flow.sessionId]).toEqual(["new-password", undefined, null]);
    expect(await code(takeFinishedFlow(deps, visitor, first.flow.id, browser))).toBe("flow.not_found");
    for (const password of [PASSWORD, "short"]) {
      expect(await code(choosePassword(deps, visitor, tenant, first.flow, { password }))).toMatch(
        /^password\./,
      );
    }
    expect(await code(givePassword(deps, visitor, tenant, first.flow, { password: PASSWORD }))).toBe(
      "flow.wrong_step",
    );
    const { cookie } = await choosePassword(deps, visitor, tenant, first.flow, { password: NEXT });
    expect(await findSessionByCookie(deps, tenant.id, cookie)).not.toBeNull();
    const again = await givePassword(deps, visitor, tenant, await begin(newSecret()), {
      identifier,
      password: NEXT,
    });
    expect(again.flow.state).toBe("authenticated");
  });

  it("cannot be skipped by another door, nor changed by two tabs", async () => {
    const identifier = await aTemporary();
    const { application } = await createApplication(deps, admin, { name: "Door", slug: `door-${number}` });
    const direct = { applicationId: application.id, identifier, password: PASSWORD };
    expect(await code(signInDirectly(deps, visitor, tenant, direct))).toBe("password.change_required");
    const { flow } = await givePassword(deps, visitor, tenant, await begin(newSecret()), {
      identifier,
      password: PASSWORD,
    });
    const tabs = await Promise.all(
      [NEXT, "yet another password"].map((password) =>
        code(choosePassword(deps, visitor, tenant, flow, { password })),
      ),
    );
    expect(tabs.sort()).toEqual(["flow.not_found", "ok"]);
    const stolen = { ...flow, state: "identifier" as const };
    expect(await code(choosePassword(deps, visitor, tenant, stolen, { password: NEXT }))).toBe(
      "flow.wrong_step",
    );
  });
});

describe("signing in again in a browser that has a session", () => {
  const again = async (cookie: string, identifier: string) => {
    const previous = await findSessionByCookie(deps, tenant.id, cookie);
    return givePassword(deps, visitor, tenant, await begin(newSecret()), {
      identifier,
      password: PASSWORD,
      previousSessionId: previous?.id,
    });
  };

  it("keeps the session of the same person under a new secret (session fixation)", async () => {
    const first = await givePassword(deps, visitor, tenant, await begin(newSecret()), {
      identifier: "ann",
      password: PASSWORD,
    });
    clock.advance(60);
    const second = await again(first.cookie ?? "", "ann");
    expect(second.flow.sessionId).toBe(first.flow.sessionId);
    expect(await findSessionByCookie(deps, tenant.id, first.cookie)).toBeNull();
    expect((await findSessionByCookie(deps, tenant.id, second.cookie))?.authenticatedAt).toEqual(clock.now());
  });

  it("ends the session of somebody else", async () => {
    await createUser(deps, admin, { username: "ben", password: { plain: PASSWORD } });
    const first = await givePassword(deps, visitor, tenant, await begin(newSecret()), {
      identifier: "ann",
      password: PASSWORD,
    });
    const second = await again(first.cookie ?? "", "ben");
    expect(second.flow.sessionId).not.toBe(first.flow.sessionId);
    expect(await findSession(deps, tenant.id, first.flow.sessionId ?? "")).toBeNull();
  });
});

/** Everything a browser can send at any time, right or wrong. */
const MOVES: Record<string, (flow: Flow) => Promise<{ flow: Flow; cookie?: string }>> = {
  "say ann": (flow) => giveIdentifier(deps, visitor, tenant, flow, { identifier: "ann" }),
  "say nobody": (flow) => giveIdentifier(deps, visitor, tenant, flow, { identifier: "nobody" }),
  "be another": (flow) => changeIdentifier(deps, visitor, tenant, flow),
  "right password": (flow) =>
    givePassword(deps, visitor, tenant, flow, { identifier: "ann", password: PASSWORD }),
  "wrong password": (flow) =>
    givePassword(deps, visitor, tenant, flow, { identifier: "ann", password: "wrong" }),
  "ann's password for nobody": (flow) =>
    givePassword(deps, visitor, tenant, flow, { identifier: "nobody", password: PASSWORD }),
};

it("whatever the order and the repeats, only the right password for the right person makes a session", async () => {
  const names = Object.keys(MOVES);
  let walked = 0;
  const walk = async (path: string[], depth: number): Promise<void> => {
    if (depth > 0) for (const name of names) await walk([...path, name], depth - 1);
    if (path.length === 0) return;
    walked += 1;
    const browser = newSecret();
    const { id } = await begin(browser);
    let finished = false;
    for (const name of path) {
      const flow: Flow = await findFlow(deps, visitor, id, browser);
      const who =
        flow.state === "password" ? flow.identifier : name === "ann's password for nobody" ? "nobody" : "ann";
      const deserved: boolean =
        !finished && who === "ann" && (name === "right password" || name === "ann's password for nobody");
      const result = await MOVES[name]?.(flow).catch((error: unknown) => {
        if (!(error instanceof IdentityError)) throw error;
        return undefined;
      });
      expect(result?.cookie !== undefined, path.join(" → ")).toBe(deserved);
      finished ||= deserved;
    }
    expect(await code(takeFinishedFlow(deps, visitor, id, browser)), path.join(" → ")).toBe(
      finished ? "ok" : "flow.not_found",
    );
  };
  await walk([], 3);
  console.log(`walked ${walked} orders of up to 3 of ${names.length} steps`);
  expect(walked).toBe(6 + 36 + 216);
}, 120_000);

describe("signing up", () => {
  it("makes an account and signs it in, or leaves nothing behind", async () => {
    const flow = await begin(newSecret());
    const users = async () => (await test.database.query("select 1 from users")).length;
    const before = await users();
    expect(await code(signUp(deps, visitor, tenant, flow, { username: "cat", password: "short" }))).toBe(
      "password.too_short",
    );
    expect(await code(signUp(deps, visitor, tenant, flow, { username: "ann", password: PASSWORD }))).toBe(
      "user.username_taken",
    );
    expect(await users()).toBe(before);
    const { cookie } = await signUp(deps, visitor, tenant, flow, { username: "cat", password: PASSWORD });
    expect(await findSessionByCookie(deps, tenant.id, cookie)).not.toBeNull();
    const late = { ...flow, version: flow.version + 1, state: "authenticated" as const };
    expect(await code(signUp(deps, visitor, tenant, late, { username: "dog", password: PASSWORD }))).toBe(
      "flow.wrong_step",
    );
    expect(await users()).toBe(before + 1);
  });

  it("gives nobody the address or number of another as username, before that is confirmed either", async () => {
    const victim = { email: "Victim@example.com", phone: "+8613900000001", password: { plain: PASSWORD } };
    const { id } = await createUser(deps, admin, victim);
    const up = async (input: { username: string; email?: string }) =>
      code(signUp(deps, visitor, tenant, await begin(newSecret()), { ...input, password: PASSWORD }));
    for (const username of ["victim@EXAMPLE.com", "+86-139-0000-0001", "nobody-yet@example.com"]) {
      expect(await up({ username }), username).toBe("user.username_taken");
    }
    expect(await up({ username: "Own@example.com", email: "own@example.com" })).toBe("ok");
    const step = { identifier: "victim@example.com", password: PASSWORD };
    const done = await givePassword(deps, visitor, tenant, await begin(newSecret()), step);
    expect(done.flow.userId).toBe(id);
  });

  it("is refused where it is closed", async () => {
    const closed = { ...tenant, settings: { ...tenant.settings, signUp: "closed" as const } };
    const flow = await begin(newSecret());
    expect(await code(signUp(deps, visitor, closed, flow, { username: "eve", password: PASSWORD }))).toBe(
      "sign_up.closed",
    );
  });
});

describe("the way of the first administrator", () => {
  it("works once, for one of two browsers, and never when there is an administrator", async () => {
    const token = async () =>
      new URL((await createSetUpLink(deps)) ?? "http://x/?token=").searchParams.get("token") ?? "";
    const first = await token();
    const second = await token();
    expect(await code(checkSetUpLink(deps, visitor, "x"))).toBe("set_up.link_invalid");
    expect(await code(completeSetUp(deps, visitor, first, "short"))).toBe("password.too_short");
    await checkSetUpLink(deps, visitor, first);
    const browsers = await Promise.all(
      [first, first, second].map((link) => code(completeSetUp(deps, visitor, link, PASSWORD))),
    );
    expect(browsers.filter((outcome) => outcome === "ok")).toHaveLength(1);
    for (const link of [first, second])
      expect(await code(completeSetUp(deps, visitor, link, PASSWORD))).toBe("set_up.link_invalid");
    expect(await createSetUpLink(deps)).toBeNull();
  });
});
