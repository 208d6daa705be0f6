import type { TenantSettingsPatch } from "@ostiary/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newSecret } from "../../kernel/identifiers.ts";
import type { Database, Transaction } from "../../platform/database/types.ts";
import { headlessDoor } from "../../testing/headless-door.ts";
import { STEPS } from "./index.ts";
import { PASSWORD, type SignIns, signIns } from "./testing/a-sign-in.ts";
import { ATTEMPTS, situationOf } from "./testing/attempts.ts";
import { pagesDoor } from "./testing/doors.ts";
import { describeExplored, explore, wander } from "./testing/explore.ts";
import { aDevice, type Door, type Person, type Run } from "./testing/ledger.ts";

/** For each setting and each manner; more with `EXPLORE_SECONDS=90`. */
const SECONDS = Number(process.env["EXPLORE_SECONDS"] ?? 5);
const SEED = Number(process.env["EXPLORE_SEED"] ?? 20_261_122);
const DEPTH = 8;
const PATIENCE = (2 * SECONDS + 60) * 1_000;

let world: SignIns;
let thief: Person;
beforeAll(async () => {
  world = await signIns();
  thief = await aPerson({ passkey: true }, "the password of a thief");
});
afterAll(() => world[Symbol.asyncDispose]());

interface Setting {
  policy: NonNullable<TenantSettingsPatch["signIn"]>;
  /** What the victim has set up. */
  has: { totp?: boolean; passkey?: boolean; recoveryCodes?: boolean; mustChange?: boolean };
  /** Whether the policy asks the victim for a second factor. */
  asksSecond: boolean;
}

async function aPerson(has: Setting["has"], password = PASSWORD): Promise<Person> {
  const person = await world.aPerson({
    mustChangePassword: has.mustChange ?? false,
    password: { plain: password },
  });
  return {
    ...person,
    password,
    totp: has.totp ? await world.withTotp(person.id) : null,
    passkey: has.passkey ? await world.withPasskey(person.id) : null,
    recoveryCodes: has.recoveryCodes ? await world.withRecoveryCodes(person.id) : [],
  };
}

async function explorationOf(setting: Setting, door: Door) {
  await world.policy(setting.policy);
  const { has, asksSecond } = setting;
  let victim = await aPerson(has);
  const isAsNew = (one: Person) =>
    one.password === PASSWORD &&
    (one.totp === null) === !has.totp &&
    (!has.recoveryCodes || one.recoveryCodes.length > 0);
  return {
    async begin(): Promise<Run> {
      if (!isAsNew(victim)) victim = await aPerson(has);
      const [first, second] = [await door.begin(newSecret()), await door.begin(newSecret())];
      return {
        signIns: world,
        door,
        devices: [aDevice(first), aDevice(second)],
        victim,
        thief,
        used: new Set(),
        expired: false,
        asksSecond,
        hadSecond: Boolean(has.totp || has.passkey),
        breaches: [],
        lastTotp: null,
      };
    },
    situation: situationOf,
    breaches: ({ breaches }: Run) => breaches.splice(0),
    actions: ATTEMPTS,
    seconds: SECONDS,
  };
}

const EVERYTHING = {
  methods: ["password", "passkey", "email_code", "magic_link"],
  secondFactors: ["totp", "passkey", "email_code", "recovery_code"],
} satisfies Setting["policy"];

const FULL: Setting = {
  policy: { ...EVERYTHING, secondFactor: "enrolled" },
  has: { totp: true, passkey: true, recoveryCodes: true },
  asksSecond: true,
};
const PLAIN: Setting = { policy: { ...EVERYTHING, secondFactor: "never" }, has: {}, asksSecond: false };

const SETTINGS: Record<string, Setting> = {
  "whoever has a second factor is asked, and the victim has three": FULL,
  "everybody is asked, and the victim has none": {
    policy: { ...EVERYTHING, secondFactors: ["totp", "recovery_code"], secondFactor: "always" },
    has: {},
    asksSecond: true,
  },
  "nobody is asked": PLAIN,
};

describe("whatever the order, the repeats and the devices, only the required factors make a session", () => {
  it.each(Object.entries(SETTINGS))("where %s", { timeout: PATIENCE }, async (name, setting) => {
    const exploration = await explorationOf(setting, pagesDoor(world));
    const near = await explore({ ...exploration, depth: DEPTH });
    console.info(describeExplored(name, near));
    const far = await wander({ ...exploration, depth: 4 * DEPTH }, SEED);
    console.info(describeExplored(`${name}, drawn with seed ${SEED}`, far));
    expect([...near.breaches, ...far.breaches]).toEqual([]);
    expect(near.paths).toBeGreaterThan(ATTEMPTS.length); // each at least once, however busy the machine
  });
});

describe("whoever gives what is asked comes in", () => {
  it.each([
    [["give the password", "give what the app shows"]],
    [["name the victim", "ask for a code", "give the code", "give a recovery code"]],
    [["ask for a link", "open the link", "give what the app shows"]],
    [["use the passkey"]],
    [["forget the password", "give the code", "give what the app shows", "choose a password"]],
    [["ask to be unlocked", "give the code", "give the password", "give what the app shows"]],
    [["give the password", "change the name", "give the password", "ask for a code", "give the code"]],
  ])("by %j", async (way) => {
    const { begin } = await explorationOf(FULL, pagesDoor(world));
    const run = await begin();
    for (const name of [...way, "take the result"]) {
      await ATTEMPTS.find((attempt) => attempt.name === name)?.try(run);
    }
    expect([run.devices[0].state, run.breaches]).toEqual(["taken", []]);
  });
});

it("so it is by API, over HTTP", { timeout: PATIENCE }, async () => {
  await using door = await headlessDoor(world);
  const exploration = await explorationOf(FULL, door);
  const near = await explore({ ...exploration, depth: DEPTH });
  console.info(describeExplored("own forms", near));
  const far = await wander({ ...exploration, depth: 4 * DEPTH }, SEED);
  console.info(describeExplored(`own forms, drawn with seed ${SEED}`, far));
  expect([...near.breaches, ...far.breaches]).toEqual([]);
});

describe("the exploration finds a breach that is planted", () => {
  /** With a few of the attempts, so that it does not take long on a busy machine. */
  const FEW = new Set([
    "name the victim",
    "give the password",
    "ask to be unlocked",
    "ask for a code",
    "give the code",
  ]);

  async function found(setting: Setting): Promise<string | undefined> {
    const exploration = await explorationOf(setting, pagesDoor(world));
    const actions = ATTEMPTS.filter(({ name }) => FEW.has(name));
    const { breaches } = await explore({
      ...exploration,
      actions,
      depth: 3,
      seconds: 60,
      stopAtBreach: true,
    });
    return breaches[0]?.split(":", 1)[0];
  }

  /** The table is read at every step, so a row of this process's copy can be changed. */
  async function planted(row: object, step: string, leadsTo: string[]): Promise<string | undefined> {
    const steps = row as Record<string, readonly string[]>;
    const before = steps[step];
    steps[step] = leadsTo;
    try {
      return await found(FULL);
    } finally {
      if (before) steps[step] = before;
      else delete steps[step];
    }
  }

  it("in the table: a name is enough", { timeout: 90_000 }, async () => {
    const breach = await planted(STEPS.identifier, "give-identifier", ["authenticated"]);
    expect(breach).toBe("a session without the required factors");
  });

  it("in the table: ending the lock-out is a sign-in", { timeout: 90_000 }, async () => {
    const breach = await planted(STEPS.unlock, "give-code", ["authenticated"]);
    expect(breach).toBe("a session without the required factors");
  });

  it("in the policy: nobody asks for the second factor", { timeout: 90_000 }, async () => {
    const breach = await found({ ...FULL, policy: { ...EVERYTHING, secondFactor: "never" } });
    expect(breach).toBe("a session without the required factors");
  });

  it("in the store: of two at the same time both win", { timeout: 90_000 }, async () => {
    const forgetting = { ...world, deps: { ...world.deps, database: forgetful(world.deps.database) } };
    const exploration = await explorationOf(PLAIN, pagesDoor(forgetting));
    const { breaches } = await explore({ ...exploration, depth: 2, seconds: 60, stopAtBreach: true });
    expect(breaches[0]).toMatch(/^two at the same time both went on/);
  });
});

/** A database that does not look at a flow's version. */
function forgetful<T extends Database | Transaction>(real: T): T {
  const own: Pick<Database, "query" | "transaction"> = {
    query: (text, values) => real.query(text.replace("and version = $3", "and $3::int > 0"), values),
    transaction: (work) => real.transaction((tx) => work(forgetful(tx))),
  };
  return new Proxy(real, {
    get(target, key) {
      const value: unknown = Reflect.get(key in own ? own : target, key);
      return typeof value === "function" ? value.bind(key in own ? own : target) : value;
    },
  });
}
