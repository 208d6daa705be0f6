import { describe, expect, it, test } from "vitest";
import { type BkOutcome, createBkAuth } from "./bk-auth.ts";
import { type BkAuthOptions, settle } from "./options.ts";
import { MemorySession } from "./session.ts";
import { aWorld, down, refusedTicket, reply, SECRET, signedIn, TICKET } from "./testing/fake-login.ts";

/** One application and one browser, which has a session of the application's. */
function aBrowser(more: Partial<BkAuthOptions> = {}) {
  const world = aWorld();
  const auth = createBkAuth({ ...world.options, ...more });
  const session = new CountingSession();
  const visit = (ticket: string | undefined = TICKET, language?: string) =>
    auth.authenticate({ cookies: { [auth.settings.backendType]: ticket }, session, language });
  return { ...world, auth, session, visit, calls: () => world.login.requests.length };
}

/** Counts what a store with ids would have done. */
class CountingSession extends MemorySession {
  readonly done: string[] = [];
  override flush(): void {
    this.done.push("flush");
    super.flush();
  }
  override cycle(): void {
    this.done.push("cycle");
  }
}

const nameOf = (outcome: BkOutcome) => (outcome.outcome === "ok" ? outcome.user.username : outcome.outcome);

describe("a cookie", () => {
  it("is verified once, and then not again until the session is older than the time-out", async () => {
    const { visit, clock, calls } = aBrowser();
    expect(await visit()).toMatchObject({ outcome: "ok", via: "cookie", isFresh: true, isGrace: false });
    clock.advance(300);
    expect(await visit()).toMatchObject({ outcome: "ok", isFresh: false });
    expect(calls()).toBe(1);
    clock.advance(0.001);
    expect(await visit()).toMatchObject({ outcome: "ok", isFresh: true });
    expect(calls()).toBe(2);
  });

  it("that is not there or empty is nobody, and asks nobody", async () => {
    const { visit, calls, auth } = aBrowser();
    expect(nameOf(await visit(""))).toBe("none");
    expect(nameOf(await auth.authenticate({ cookies: {} }))).toBe("none");
    expect(calls()).toBe(0);
  });

  it("too long for any service is refused unasked", async () => {
    const { visit, calls } = aBrowser();
    expect(nameOf(await visit("x".repeat(4_097)))).toBe("invalid");
    expect(calls()).toBe(0);
  });

  it("of another user takes the session over, emptied", async () => {
    const { visit, login, session } = aBrowser();
    await visit("of-ann");
    session.set("cart", ["ann's"]);
    login.answer = () => signedIn("bob");
    expect(nameOf(await visit("of-bob"))).toBe("bob");
    expect(session.get("cart")).toBeUndefined();
    expect(session.done).toEqual(["cycle", "flush"]);
    expect(nameOf(await visit("of-bob"))).toBe("bob");
    expect(login.requests).toHaveLength(2);
  });

  it("renewed for the same user leaves the session as it is", async () => {
    const { visit, session } = aBrowser();
    await visit("first");
    session.set("cart", ["mine"]);
    await visit("second");
    expect(session.get("cart")).toEqual(["mine"]);
    expect(session.done).toEqual(["cycle"]);
  });

  it("taken away ends the session it opened", async () => {
    const { visit, session } = aBrowser();
    await visit();
    expect(nameOf(await visit(""))).toBe("none");
    expect(session.data.size).toBe(0);
    expect(session.done).toEqual(["cycle", "flush"]);
  });

  it("missing leaves a session of another login alone, unless told otherwise", async () => {
    for (const [logoutWithoutCookie, left] of [
      [false, "42"],
      [true, undefined],
    ] as const) {
      const { visit, session } = aBrowser({ logoutWithoutCookie });
      session.set("_auth_user_id", "42");
      await visit("");
      expect(session.get("_auth_user_id")).toBe(left);
    }
  });

  it("refused ends the session, and is asked about again only after the negative cache", async () => {
    const { visit, login, session, clock, calls } = aBrowser();
    await visit();
    login.answer = () => refusedTicket();
    clock.advance(301);
    expect(await visit()).toMatchObject({ outcome: "invalid", reason: "ticket" });
    expect(session.data.size).toBe(0);
    await visit();
    clock.advance(4.9);
    await visit();
    expect(calls()).toBe(2);
    clock.advance(0.2);
    login.answer = () => signedIn("admin");
    expect(nameOf(await visit())).toBe("admin");
  });

  it("denied ends the session too, with the service's word", async () => {
    const { visit, login, session, clock } = aBrowser();
    await visit();
    login.answer = () => reply(200, { result: false, code: 1_302_403, message: "not yours", data: {} });
    clock.advance(301);
    expect(await visit()).toMatchObject({ outcome: "denied", message: "not yours" });
    expect(session.get("bkpaas_user_id")).toBeUndefined();
  });

  it("shared by many requests at once is verified by one call", async () => {
    const { visit, login, calls } = aBrowser();
    let answer: (value: ReturnType<typeof signedIn>) => void = () => undefined;
    login.answer = () => new Promise((resolve) => (answer = resolve));
    const visits = Array.from({ length: 10 }, () => visit());
    await Promise.resolve();
    answer(signedIn("admin"));
    expect((await Promise.all(visits)).map(nameOf)).toEqual(Array(10).fill("admin"));
    expect(calls()).toBe(1);
  });

  it("without a session is remembered in the process, and forgotten when told", async () => {
    const { auth, calls, clock } = aBrowser();
    const visit = () => auth.authenticate({ cookies: { bk_token: TICKET } });
    await visit();
    expect(await visit()).toMatchObject({ outcome: "ok", isFresh: false });
    await auth.forgetTicket(TICKET);
    await visit();
    expect(calls()).toBe(2);
    clock.advance(301);
    await visit();
    expect(calls()).toBe(3);
  });

  it("with a language carries it to the service, and a strange one not", async () => {
    const { visit, login } = aBrowser();
    await visit("a", "zh-hans");
    await visit("b", "zh\r\nevil: 1");
    expect(login.requests.map(({ headers }) => headers["blueking-language"])).toEqual(["zh-hans", "en-us"]);
  });
});

describe("while the service is down", () => {
  it("a user stays for the time of grace, and no session is lost", async () => {
    const { visit, login, clock, session } = aBrowser();
    await visit();
    login.answer = down;
    clock.advance(301);
    expect(await visit()).toMatchObject({ outcome: "ok", isGrace: true });
    clock.advance(299);
    expect(await visit()).toMatchObject({ outcome: "ok", isGrace: true });
    clock.advance(1);
    expect(nameOf(await visit())).toBe("unavailable");
    login.answer = () => signedIn("admin");
    clock.advance(2);
    expect(nameOf(await visit())).toBe("admin");
    expect(session.done).toEqual(["cycle"]);
  });

  it("nobody new gets in, nobody with another ticket, and nobody when there is no grace", async () => {
    const { visit, login, clock } = aBrowser({ outageGraceSeconds: 0 });
    await visit();
    login.answer = down;
    expect(nameOf(await visit("another"))).toBe("unavailable");
    clock.advance(301);
    expect(nameOf(await visit())).toBe("unavailable");
  });

  it("a ticket is asked about at most once a second", async () => {
    const { visit, login, clock, calls } = aBrowser();
    login.answer = down;
    for (let i = 0; i < 5; i++) await visit();
    expect(calls()).toBe(1);
    clock.advance(1);
    await visit();
    expect(calls()).toBe(2);
  });
});

describe("the session", () => {
  it("holds no ticket, and a hash that another key does not give", async () => {
    const { visit, session, auth, options } = aBrowser();
    await visit();
    expect(JSON.stringify([...session.data])).not.toContain(TICKET);
    expect([...session.data.keys()].sort()).toEqual([
      "auth_credentials",
      "bkpaas_authenticated_at",
      "bkpaas_user_id",
      "provider_type",
      "user_token",
    ]);
    expect(settle({ ...options, appSecret: "other" }).hash(TICKET)).not.toBe(auth.settings.hash(TICKET));
    expect(settle(options).hash(TICKET)).toBe(auth.settings.hash(TICKET));
  });

  it("in Python's form is what Django writes", async () => {
    const { visit, session, clock } = aBrowser({ sessionForm: "python" });
    await visit();
    expect(Object.fromEntries(session.data)).toMatchObject({
      provider_type: 3,
      bkpaas_user_id: "0335cce79c92",
      bkpaas_authenticated_at: clock.now / 1000,
      auth_credentials: { bk_token: TICKET },
      _auth_user_id: "0335cce79c92",
      _auth_user_backend: "bkpaas_auth.backends.UniversalAuthBackend",
      _auth_user_hash: "",
    });
  });

  it("that Django wrote is taken over without a call", async () => {
    const theirs = aBrowser({ sessionForm: "python" });
    await theirs.visit();
    const ours = aBrowser();
    for (const [key, value] of theirs.session.data) ours.session.set(key, value);
    expect(nameOf(await ours.visit())).toBe("admin");
    expect(ours.calls()).toBe(0);
  });

  test.each([
    ["a pickle of 2.x", "\x80\x04\x95"],
    ["JSON of another form", '{"login_token": 1}'],
    ["something else", 7],
  ])("with %s is verified anew, with no new id", async (_, stored) => {
    const { visit, session, calls } = aBrowser();
    await visit();
    session.set("user_token", stored);
    expect(nameOf(await visit())).toBe("admin");
    expect([calls(), session.done]).toEqual([2, ["cycle"]]);
  });
});

describe("the application's own table", () => {
  interface Row {
    username: string;
    email: string;
    isSuperuser?: boolean;
  }

  function aTable(more: { create?: boolean } = {}) {
    const rows = new Map<string, Row>();
    const configured: string[] = [];
    const database = {
      find: async (username: string) => rows.get(username),
      ...(more.create === false
        ? {}
        : {
            create: async (row: Row) => {
              rows.set(row.username, row);
              return row;
            },
          }),
      configureUser: async (row: Row) => {
        configured.push(row.username);
        return row;
      },
    };
    return { rows, configured, database };
  }

  it("gets a row at the first login only, with the flags of a superuser", async () => {
    const { rows, configured, database } = aTable();
    const { options } = aWorld();
    const auth = createBkAuth({ ...options, database, superusers: ["admin"] });
    const session = new MemorySession();
    for (let i = 0; i < 2; i++) {
      const outcome = await auth.authenticate({ cookies: { bk_token: TICKET }, session });
      expect(outcome).toMatchObject({
        outcome: "ok",
        record: {
          username: "admin",
          email: "",
          isSuperuser: true,
          bkpaasUserId: "0335cce79c92",
          displayName: "admin",
        },
      });
    }
    expect([rows.size, configured]).toEqual([1, ["admin"]]);
  });

  it("that has no row and makes none lets nobody in", async () => {
    const { visit, session, logger } = aBrowser({ database: aTable({ create: false }).database });
    expect(await visit()).toMatchObject({ outcome: "invalid", reason: "unknown_user" });
    expect(session.data.size).toBe(0);
    expect(logger.lines.filter((line) => line.startsWith("warn"))).toHaveLength(1);
  });
});

describe("a mocked user", () => {
  it("stands for everybody the service verifies, and for nobody else", async () => {
    const { visit, login, calls } = aBrowser({ mockedUsername: "dev", production: false });
    const outcome = await visit();
    expect(outcome).toMatchObject({
      outcome: "ok",
      user: { username: "dev", email: "dev@tencent.com", providerType: 2 },
    });
    expect(calls()).toBe(1);
    login.answer = () => refusedTicket();
    expect(nameOf(await visit("other"))).toBe("invalid");
  });
});

describe("the log", () => {
  it("tells a refused ticket from a failing service, and holds no secret at any level", async () => {
    const { visit, login, logger, clock } = aBrowser();
    const answers = [
      () => signedIn("admin"),
      () => refusedTicket(),
      () => reply(200, { code: 1_302_403, message: `${TICKET} ${SECRET}`, data: {} }),
      () => reply(200, { code: 1_640_101, message: `${TICKET} ${SECRET}` }),
      () => reply(500, `${TICKET} ${SECRET}`),
      () => reply(200, `<html>${TICKET}`),
      down,
    ];
    for (const answer of answers) {
      login.answer = answer;
      clock.advance(10_000);
      await visit();
    }
    const text = logger.lines.join("\n");
    expect(text).not.toContain(TICKET);
    expect(text).not.toContain(SECRET);
    expect(logger.lines).toContain("warn authenticate error: invalid credentials given");
    expect(logger.lines.filter((line) => line.startsWith("error")).length).toBe(4);
    expect(logger.lines).toContain(
      "error authenticate error: the login service cannot be reached (ECONNREFUSED)",
    );
  });
});
