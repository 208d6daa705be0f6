import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { refusal } from "../../testing/two-tenants.ts";
import { createPasswordLink, redeemPasswordLink } from "../credentials/index.ts";
import type { Deps } from "../deps.ts";
import { choosePassword, giveCode, signUp, startRecovery } from "./index.ts";
import { type SignIns, signIns } from "./testing/a-sign-in.ts";

const BREACHED = "a password of many people";
const GOOD = "correct donkey battery staple";

let s: SignIns;
let deps: Deps;
let open = 0;
/** How many transactions were open each time that the service was asked. */
let asked: number[];

beforeAll(async () => {
  s = await signIns();
  await s.policy({}, { signUp: "open", passwordPolicy: { checkBreached: true } });
  const transaction: Deps["database"]["transaction"] = async (run) => {
    open++;
    try {
      return await s.deps.database.transaction(run);
    } finally {
      open--;
    }
  };
  const query: Deps["database"]["query"] = (text, values) => s.deps.database.query(text, values);
  const isBreached = async (password: string) => {
    asked.push(open);
    return password === BREACHED;
  };
  deps = { ...s.deps, database: { query, transaction }, breachedPasswords: { isBreached } };
});
beforeEach(() => {
  asked = [];
});
afterAll(() => s[Symbol.asyncDispose]());

it("are asked for before the sign-up's transaction, once", async () => {
  const attempt = async (username: string, password: string) =>
    signUp(deps, s.visitor, await s.tenant(), await s.begin(), { username, password });
  expect(await refusal(attempt("newcomer", BREACHED))).toBe("password.breached");
  expect((await attempt("newcomer", GOOD)).flow.state).toBe("authenticated");
  expect(asked).toEqual([0, 0]);
});

it("are asked for before the transaction in which a forgotten password is replaced, once", async () => {
  const { email } = await s.aPerson();
  const begun = await startRecovery(deps, s.visitor, await s.tenant(), await s.begin(), {
    identifier: email,
  });
  const code = await s.mailbox.code(s.deps, email);
  const { flow } = await giveCode(deps, s.visitor, await s.tenant(), begun.flow, { code });
  const choose = async (password: string) =>
    choosePassword(deps, s.visitor, await s.tenant(), flow, { password });
  expect(await refusal(choose(BREACHED))).toBe("password.breached");
  expect((await choose(GOOD)).flow.state).toBe("authenticated");
  expect(asked).toEqual([0, 0]);
});

it("are asked for before a link is used up, and not for a link that is none", async () => {
  const { id } = await s.aPerson();
  const secret = await createPasswordLink(deps, s.world.context.tenantId, id, 600);
  const redeem = (link: string, password: string) =>
    redeemPasswordLink(deps, s.visitor, link, password, async () => {});
  expect(await refusal(redeem("no such link", BREACHED))).toBe("password_link.invalid");
  expect(asked).toEqual([]);
  expect(await refusal(redeem(secret, BREACHED))).toBe("password.breached");
  expect(await refusal(redeem(secret, GOOD))).toBe("fulfilled");
  expect(asked).toEqual([0, 0]);
});

it("are not asked for where the tenant does not want it", async () => {
  await s.policy({}, { signUp: "open", passwordPolicy: { checkBreached: false } });
  const input = { username: "another-newcomer", password: BREACHED };
  const { flow } = await signUp(deps, s.visitor, await s.tenant(), await s.begin(), input);
  expect([flow.state, asked]).toEqual(["authenticated", []]);
});
