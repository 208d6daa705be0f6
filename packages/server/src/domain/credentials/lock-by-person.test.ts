import type { Tenant } from "@ostiary/contracts";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Database } from "../../platform/database/types.ts";
import { createRateLimits } from "../../platform/limits/index.ts";
import { aDatabase, type TestDatabase } from "../../testing/a-database.ts";
import { frozenClock } from "../../testing/frozen-clock.ts";
import { contextOf, QUIET, testDeps } from "../../testing/test-deps.ts";
import type { Deps } from "../deps.ts";
import { ensureDefaultTenant } from "../tenants/index.ts";
import { createUser, updateUser } from "../users/index.ts";
import { changePassword, checkPassword, replacePassword, unlockUser } from "./index.ts";

const PASSWORD = "correct horse battery staple";
const clock = frozenClock();

let test: TestDatabase;
let deps: Deps;
let tenant: Tenant;
let admin: ReturnType<typeof contextOf>;
/** What was sent to the database since the last `beforeEach`. */
let statements: string[] = [];
let count = 0;
let visitor: ReturnType<typeof contextOf>;

beforeAll(async () => {
  test = await aDatabase();
  const { database } = test;
  const watched: Database = {
    query: (text, values) => {
      statements.push(text);
      return database.query(text, values);
    },
    transaction: (run) => database.transaction(run),
  };
  const limits = createRateLimits({ kind: "postgres", database: watched, clock, log: QUIET });
  deps = testDeps(database, { clock, limits, database: watched });
  tenant = await ensureDefaultTenant(deps);
  admin = contextOf(tenant.id);
});
afterAll(() => test[Symbol.asyncDispose]());
beforeEach(() => {
  const ip = `192.0.2.${++count}`;
  visitor = contextOf(tenant.id, { actor: { type: "anonymous", id: null }, permissions: new Set(), ip });
});

const aPerson = async () => {
  const username = `person${++count}`;
  const email = `${username}@example.com`;
  const phone = `1370000${String(count).padStart(4, "0")}`;
  const { id } = await createUser(deps, admin, { username, email, phone, password: { plain: PASSWORD } });
  return { id, username, email, phone, names: [username, email, phone] };
};
const check = (name: string, password: string) => checkPassword(deps, visitor, tenant, name, password);
const outcome = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "let in",
    ({ code }: { code: string }) => code,
  );
const guess = async (names: readonly string[], times: number) => {
  const codes: string[] = [];
  for (let i = 0; i < times; i++) {
    codes.push(await outcome(check(names[i % names.length] ?? "", `wrong ${i}`)));
  }
  return codes;
};
const rejected = (times: number) => Array<string>(times).fill("credential.rejected");

describe("wrong passwords", () => {
  it("are counted by the person, whichever name was typed", async () => {
    const { names } = await aPerson();
    expect(await guess(names, 10)).toEqual(rejected(10));
    for (const name of [
      ...names,
      names[1]?.toUpperCase() ?? "",
      `${names[2]?.slice(0, 3)}-${names[2]?.slice(3)}`,
    ]) {
      expect(await outcome(check(name, PASSWORD))).toBe("credential.locked");
    }
  });

  it("of somebody else's are not", async () => {
    const [ann, bob] = [await aPerson(), await aPerson()];
    await guess(ann.names, 10);
    expect(await outcome(check(bob.email, PASSWORD))).toBe("let in");
  });

  it("are forgotten for all names with the right one, by any of them", async () => {
    const { names, username, email } = await aPerson();
    await guess([username], 9);
    expect(await outcome(check(email, PASSWORD))).toBe("let in");
    expect(await guess(names, 9)).toEqual(rejected(9));
    expect(await outcome(check(username, PASSWORD))).toBe("let in");
  });

  it("are counted with those that are given where the password is changed", async () => {
    const { id, username, email } = await aPerson();
    const me = { ...visitor, actor: { type: "user" as const, id } };
    const change = (current: string) =>
      outcome(changePassword(deps, me, id, current, "another good password"));
    await guess([username, email], 6);
    for (let i = 0; i < 4; i++) expect(await change("wrong")).toBe("credential.rejected");
    expect(await change(PASSWORD)).toBe("credential.locked");
    expect(await outcome(check(email, PASSWORD))).toBe("credential.locked");
  });

  it("stay with the person whose name was changed, and not with who has it then", async () => {
    const ann = await aPerson();
    await guess([ann.username], 10);
    await updateUser(deps, admin, ann.id, { username: `${ann.username}-renamed` });
    const heir = { username: ann.username, password: { plain: PASSWORD } };
    await createUser(deps, admin, heir);
    expect(await outcome(check(ann.username, PASSWORD))).toBe("let in");
    expect(await outcome(check(`${ann.username}-renamed`, PASSWORD))).toBe("credential.locked");
  });

  it("are counted together when thirty come at once by three names", async () => {
    const { names } = await aPerson();
    const tries = Array.from({ length: 30 }, (_, i) => outcome(check(names[i % 3] ?? "", `guess ${i}`)));
    const codes = await Promise.all(tries);
    expect(codes.filter((code) => code === "credential.rejected").length).toBeLessThan(14);
    expect(codes.filter((code) => code === "credential.locked").length).toBeGreaterThan(16);
  });

  it("are checked against the password as it is after others were checked first", async () => {
    const { id, names } = await aPerson();
    const before = deps.hasher.verify;
    const open: (() => void)[] = [];
    const slow: Deps = {
      ...deps,
      hasher: {
        ...deps.hasher,
        verify: async (...args) => {
          await new Promise<void>((resolve) => open.push(resolve));
          return before(...args);
        },
      },
    };
    const until = async (isSo: () => boolean) => {
      while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    const guesses = names
      .concat(names)
      .slice(0, 4)
      .map((name) => outcome(checkPassword(slow, visitor, tenant, name, "wrong")));
    await until(() => open.length === 4);
    statements = [];
    const last = outcome(checkPassword(slow, visitor, tenant, names[1] ?? "", PASSWORD));
    await until(() => statements.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await replacePassword(deps, admin, id, "another good password");
    for (const go of open.splice(0)) go();
    await until(() => open.length === 1);
    for (const go of open.splice(0)) go();
    expect(await Promise.all([...guesses, last])).toEqual(rejected(5));
  });
});

describe("a name that is nobody's", () => {
  it("is locked with the same answers, in any case and with any marks in a number", async () => {
    const nobody = `nobody${++count}@example.com`;
    expect(await guess([nobody, nobody.toUpperCase(), ` ${nobody} `], 10)).toEqual(rejected(10));
    const failures = [];
    const { email } = await aPerson();
    await guess([email], 10);
    for (const name of [nobody, email]) {
      failures.push(
        await check(name, PASSWORD).catch(({ code, message, retryAfter }) => ({ code, message, retryAfter })),
      );
    }
    expect(failures[0]).toEqual(failures[1]);
    expect(failures[0]).toMatchObject({ code: "credential.locked", retryAfter: 900 });
    expect(await guess(["139 9999 0000", "(139) 9999-0000", "13999990000"], 11)).toEqual([
      ...rejected(10),
      "credential.locked",
    ]);
  });

  it("is not locked with another one", async () => {
    await guess(["nobody-a"], 10);
    expect(await guess(["nobody-b"], 1)).toEqual(rejected(1));
  });

  it("costs the same statements, from the first guess to the lock", async () => {
    const { username } = await aPerson();
    const work: string[][][] = [];
    for (const name of [username, "nobody-at-all"]) {
      const guesses: string[][] = [];
      for (let i = 0; i < 12; i++) {
        statements = [];
        await guess([name], 1);
        guesses.push(statements.filter((text) => !text.startsWith("delete from rate_limits where expire")));
        await new Promise((resolve) => setTimeout(resolve, 20)); // the notice of the lock, for which nobody waits
      }
      work.push(guesses);
    }
    const [known = [], unknown = []] = work;
    // Nobody waits for the message to the person, which begins with this one and may go on with others.
    expect(known[9]?.splice(7, 1)[0]).toContain("insert into rate_limits");
    known[9]?.splice(8);
    expect(known).toEqual(unknown);
    expect(known.map((guess) => guess.length)).toEqual([...Array(9).fill(6), 8, 2, 2]);
  });

  it("costs a sign-in that is right two statements before the password is looked at", async () => {
    const { email } = await aPerson();
    statements = [];
    await check(email, PASSWORD);
    expect(statements).toHaveLength(2);
  });
});

describe("an administrator's unlocking", () => {
  it("frees every name at once", async () => {
    const { id, names } = await aPerson();
    await guess(names, 10);
    await unlockUser(deps, admin, tenant, id);
    for (const name of names) expect(await outcome(check(name, PASSWORD))).toBe("let in");
  });
});
