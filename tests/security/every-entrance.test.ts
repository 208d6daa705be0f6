/** Every order of steps through every entrance of the whole server, and what each entrance then takes. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Action,
  describeExplored,
  explore,
  wander,
} from "../../packages/server/src/domain/sign-in/testing/explore.ts";
import { createUser } from "../../packages/server/src/domain/users/index.ts";
import { contextOf } from "../../packages/server/src/testing/test-deps.ts";
import { ACTIONS, thief } from "./walk/actions.ts";
import { aHouse, type House, type Rules } from "./walk/house.ts";
import { aPerson, aRun, cleared, type Person, type Run, situationOf } from "./walk/ledger.ts";
import { refused, taken, VERIFIERS } from "./walk/verifiers.ts";

const FULL = process.env["OSTIARY_FULL_TESTS"] === "1";
/** For each setting and each manner; more with `EXPLORE_SECONDS=90`. */
const SECONDS = Number(process.env["EXPLORE_SECONDS"] ?? (FULL ? 120 : 5));
/** Everything is tried after each prepared way, however long it takes; these are for what follows after that. */
const SECONDS_AFTER = FULL ? 20 : 0;
const SEED = Number(process.env["EXPLORE_SEED"] ?? 20_261_122);
const DEPTH = 6;

const MILD: Rules = { asks: false, zibanu: "3.0" };
const STRICT: Rules = { asks: true, zibanu: "1.1" };
const SETTINGS = [
  ["only one application asks for a second factor", MILD],
  ["whoever has a second factor is asked everywhere", STRICT],
] as const;

const SHOP = ["open shop by OpenID Connect", "give the password"];
const VAULT = ["open vault by OpenID Connect", "give the password", "give what the app shows"];
const TICKET = ["open shop by BlueKing", "give the password"];

/** Ways on which everything is right, and what one has at the end. Everything else is tried from here on. */
const WAYS: readonly (readonly [title: string, rules: Rules, way: string[], has: string[]])[] = [
  ["a refreshed token", MILD, [...SHOP, "redeem shop's code", "refresh shop's token"], ["refresh shop"]],
  [
    "a step-up to the stricter application",
    MILD,
    [...SHOP, "redeem shop's code", "open vault by OpenID Connect", "give what the app shows"],
    ["access shop", "code vault"],
  ],
  [
    "a ticket and its token",
    MILD,
    [...TICKET, "exchange the ticket for shop"],
    ["refresh shop", "ticket null"],
  ],
  ["a gateway token", MILD, [...TICKET, "a gateway token for shop with the ticket"], ["gateway shop"]],
  ["a sliding token", MILD, ["Zibanu: sign in", "Zibanu: refresh"], ["sliding null"]],
  [
    "a token of the API, and a gateway token with it",
    MILD,
    ["sign in at shop by API", "a gateway token for shop with a token"],
    ["access shop", "gateway shop"],
  ],
  ["a token on an application's word", MILD, ["shop vouches"], ["access shop"]],
  [
    "a token by own forms",
    MILD,
    [
      "own forms: begin",
      "own forms: give the password",
      "own forms: finish twice at once",
      "redeem phone's code",
    ],
    ["access phone"],
  ],
  ["two factors", STRICT, [...VAULT, "redeem vault's code"], ["access vault", "refresh vault"]],
  [
    "two factors, a ticket and a gateway token",
    STRICT,
    [...VAULT, "open vault by BlueKing", "a gateway token for vault with the ticket"],
    ["gateway vault"],
  ],
  [
    "two factors, a ticket and its refreshed token",
    STRICT,
    [...VAULT, "open vault by BlueKing", "exchange the ticket for vault", "refresh vault's token"],
    ["refresh vault"],
  ],
  [
    "a second sign-in, as the application asked",
    STRICT,
    [
      ...SHOP,
      "give what the app shows",
      "open shop with prompt=login",
      "give the password",
      "give what the app shows",
    ],
    ["code shop"],
  ],
  [
    "a forgotten password, by own forms",
    STRICT,
    [
      "own forms: begin",
      "own forms: forget the password",
      "own forms: give the mailed code",
      "own forms: give what the app shows",
      "own forms: choose a password",
      "own forms: finish twice at once",
    ],
    ["code phone"],
  ],
  [
    "a forgotten password, on the pages",
    STRICT,
    [
      "open the account",
      "forget the password",
      "give the mailed code",
      "give what the app shows",
      "choose a password",
    ],
    ["cookie null"],
  ],
  [
    "a forgotten password, by Zibanu, before a sign-in",
    MILD,
    ["Zibanu: forget the password", "Zibanu: reset the password twice at once", ...SHOP],
    ["code shop"],
  ],
  [
    "two mailed codes",
    MILD,
    [...TICKET, "own forms: begin", "own forms: forget the password", "Zibanu: forget the password"],
    ["ticket null"],
  ],
];

let house: House;
beforeAll(async () => {
  house = await aHouse();
  const { deps, tenantId } = house.server;
  const { username, password } = thief;
  await createUser(deps, contextOf(tenantId), { username, password: { plain: password } });
});
afterAll(() => house[Symbol.asyncDispose]());

/**
 * One person for many walks, as long as nothing is left of a walk that the next one would meet.
 *
 * @param way - taken before each walk.
 */
async function explorationOf(rules: Rules, way: readonly string[] = []) {
  await house.rules(rules);
  let victim: Person | undefined;
  let last: Run | undefined;
  return {
    async begin(): Promise<Run> {
      const isAsNew =
        last && last.changes === 0 && !last.suspended && !Object.values(last.mailed).some(Boolean);
      if (victim && isAsNew) await cleared(house, victim);
      else victim = await aPerson(house);
      const run = aRun(house, rules, victim);
      run.quiet = last !== undefined;
      for (const name of way) await named(name).try(run);
      run.quiet = false;
      last = run;
      return run;
    },
    situation: situationOf,
    breaches: ({ breaches }: Run) => breaches.splice(0),
    actions: ACTIONS,
  };
}

function named(name: string): Action<Run> {
  const action = ACTIONS.find((one) => one.name === name);
  if (!action) throw new RangeError(name);
  return action;
}

const sum = (counts: Map<string, number>) => [...counts.values()].reduce((one, other) => one + other, 0);

describe("whoever gives what is asked comes in, and after that nothing is taken that must not be", () => {
  it.each(WAYS)("%s", { timeout: 120_000 + SECONDS_AFTER * 1_000 }, async (title, rules, way, expected) => {
    const exploration = await explorationOf(rules, way);
    const run = await exploration.begin();
    const has = run.credentials.map(({ kind, app }) => `${kind} ${app}`);
    expect(run.breaches).toEqual([]);
    expect(has).toEqual(expect.arrayContaining(expected));
    const near = await explore({ ...exploration, depth: 1, seconds: 110 });
    console.info(describeExplored(`after ${title}`, near));
    expect([near.breaches, near.complete]).toEqual([[], true]);
    if (SECONDS_AFTER === 0) return;
    const far = await wander({ ...exploration, depth: DEPTH, seconds: SECONDS_AFTER }, SEED);
    console.info(describeExplored(`after ${title}, drawn`, far));
    expect(far.breaches).toEqual([]);
  });

  it("and every entrance was seen to take what is good", () => {
    expect(VERIFIERS.map(({ name }) => name).filter((name) => !taken.has(name))).toEqual([]);
  });
});

describe("whatever the order and the entrance, nothing is taken that must not be", () => {
  it.each(SETTINGS)("where %s", { timeout: (2 * SECONDS + 60) * 1_000 }, async (name, rules) => {
    const exploration = { ...(await explorationOf(rules)), seconds: SECONDS };
    const near = await explore({ ...exploration, depth: DEPTH });
    console.info(describeExplored(`every entrance, ${name}`, near));
    const far = await wander({ ...exploration, depth: 6 * DEPTH }, SEED);
    console.info(describeExplored(`every entrance, ${name}, drawn with seed ${SEED}`, far));
    console.info(
      `shown to ${VERIFIERS.length} verifiers: taken ${sum(taken)} times, refused ${sum(refused)} times`,
    );
    expect([...new Set([...near.breaches, ...far.breaches])]).toEqual([]);
  });
});
