import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createRateLimits } from "../../platform/limits/index.ts";
import { QUIET } from "../../testing/test-deps.ts";
import { audited, refusal, type TwoTenants, twoTenants } from "../../testing/two-tenants.ts";
import type { Deps } from "../deps.ts";
import { finishOutgoing } from "../outgoing/index.ts";
import { findTenantById } from "../tenants/index.ts";
import { type CodePurpose, type CodeRequest, checkCode, sendCode } from "./index.ts";

let world: TwoTenants;
let deps: Deps;
let sent: { to: string; text: string }[];
let ann: string;
let flows = 0;

beforeAll(async () => {
  world = await twoTenants();
  const keep = async ({ to, text }: { to: string; text: string }) => void sent.push({ to, text });
  deps = { ...world.deps, sender: { sendMail: keep, sendSms: keep } };
  ann = await world.aUser("ann");
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(() => {
  sent = [];
});

async function theTenant(id = world.context.tenantId) {
  const tenant = await findTenantById(deps, id);
  if (!tenant) throw new Error("no tenant");
  return tenant;
}
const request = (change: Partial<CodeRequest> = {}): CodeRequest => ({
  purpose: "sign-in",
  subject: `flow-${++flows}`,
  userId: ann,
  channel: "email",
  to: "ann@example.com",
  locale: "en",
  ...change,
});
async function send(change: Partial<CodeRequest> = {}, by: Deps = deps) {
  const asked = request(change);
  const answer = await sendCode(by, world.context, await theTenant(), asked);
  await finishOutgoing(by);
  return { ...asked, ...answer, code: /\b\d{6}\b/.exec(sent.at(-1)?.text ?? "")?.[0] ?? "" };
}
const check = (
  { purpose, subject }: { purpose: CodePurpose; subject: string },
  code: string,
  { by = deps, context = world.context } = {},
) => by.database.transaction((tx) => checkCode(by, tx, context, { purpose, subject, code }));
const wrong = (code: string) => (code === "000000" ? "000001" : "000000");

describe("a code", () => {
  it("has six digits, proves the address it was sent to, and works once", async () => {
    const asked = await send();
    expect(sent).toMatchObject([{ to: "ann@example.com" }]);
    expect(asked.code).toMatch(/^\d{6}$/);
    expect(await check(asked, ` ${asked.code.slice(0, 3)} ${asked.code.slice(3)}`)).toEqual({
      userId: ann,
      target: "ann@example.com",
      channel: "email",
    });
    expect(await refusal(check(asked, asked.code))).toBe("code.rejected");
  });

  it("works for one of eight that use it at once", async () => {
    const asked = await send();
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => refusal(check(asked, asked.code))));
    expect(outcomes.filter((outcome) => outcome === "fulfilled")).toHaveLength(1);
  });

  it("may be typed with the digits of another keyboard", async () => {
    const asked = await send();
    const wide = [...asked.code].map((digit) => String.fromCharCode(digit.charCodeAt(0) + 0xfee0)).join("");
    expect((await check(asked, wide)).userId).toBe(ann);
  });

  it("works for ten minutes", async () => {
    const asked = await send();
    world.clock.advance(600);
    expect(await refusal(check(asked, asked.code))).toBe("code.rejected");
  });

  it("works for its purpose, subject and tenant only", async () => {
    const asked = await send();
    const other = await send();
    expect(await refusal(check({ ...asked, purpose: "recovery" }, asked.code))).toBe("code.rejected");
    expect(await refusal(check(asked, asked.code, { context: world.foreign }))).toBe("code.rejected");
    if (asked.code !== other.code) expect(await refusal(check(other, asked.code))).toBe("code.rejected");
    expect((await check(asked, asked.code)).userId).toBe(ann);
  });

  it("is worth nothing after five wrong ones, though every request was rolled back", async () => {
    const asked = await send();
    for (let i = 1; i <= 4; i++) expect(await refusal(check(asked, wrong(asked.code)))).toBe("code.rejected");
    expect(await refusal(check(asked, wrong(asked.code)))).toBe("code.used_up");
    expect(await refusal(check(asked, asked.code))).toBe("code.used_up");
  });

  it("cannot be guessed more often by asking all at once", async () => {
    const asked = await send();
    const guesses = await Promise.all(
      Array.from({ length: 8 }, () => refusal(check(asked, wrong(asked.code)))),
    );
    expect(guesses.filter((code) => code === "code.rejected")).toHaveLength(4);
    expect(await refusal(check(asked, asked.code))).toBe("code.used_up");
  });

  it("that is sent anew replaces the one before, and not within a minute", async () => {
    const asked = await send();
    const { subject } = asked;
    const error = await send({ subject }).catch((refused) => refused);
    expect(error).toMatchObject({ code: "code.too_soon", retryAfter: 60 });
    world.clock.advance(60);
    const again = await send({ subject });
    if (again.code !== asked.code) expect(await refusal(check(asked, asked.code))).toBe("code.rejected");
    expect((await check(again, again.code)).userId).toBe(ann);
  });

  it("is sent once by two requests at once", async () => {
    const subject = "flow-twice";
    const outcomes = await Promise.all([1, 2, 3, 4].map(() => refusal(send({ subject }))));
    expect(outcomes.sort()).toEqual(["code.too_soon", "code.too_soon", "code.too_soon", "fulfilled"]);
    expect(sent).toHaveLength(1);
  });

  it("for nobody has the same answer, is not sent, and no code is right", async () => {
    const asked = await send({ userId: null, to: null, account: "nobody@example.com" });
    expect(sent).toEqual([]);
    expect(Object.keys(asked)).toContain("resendAt");
    expect(await refusal(check(asked, "000000"))).toBe("code.rejected");
  });

  it("may be a link, whose secret cannot be guessed", async () => {
    let secret = "";
    const link = (made: string) => {
      secret = made;
      return `https://id.example.com/link#${made}`;
    };
    const asked = await send({ purpose: "magic-link", link });
    expect(sent[0]?.text).toContain(`https://id.example.com/link#${secret}`);
    expect(secret).toHaveLength(43);
    expect((await check(asked, secret)).target).toBe("ann@example.com");
  });

  it("leaves an audit entry when it was wrong, without the code", async () => {
    const bob = await world.aUser("bob");
    const asked = await send({ userId: bob });
    await refusal(check(asked, wrong(asked.code)));
    const [entry] = await audited(world, bob, 2);
    expect(entry).toMatchObject({ type: "factor.refused", outcome: "refused", data: { method: "sign-in" } });
    expect(JSON.stringify([entry?.data, entry?.reason])).not.toContain(wrong(asked.code));
  });
});

describe("limits of codes", () => {
  const limited = () => {
    const { clock, database } = world;
    return { ...deps, limits: createRateLimits({ kind: "postgres", database, clock, log: QUIET }) };
  };

  it("count what was typed, whether it is somebody's or not", async () => {
    const by = limited();
    const outcomes = [];
    for (const account of ["Ann@example.com ", "nobody@example.com"]) {
      const to = account.startsWith("A") ? "ann@example.com" : null;
      for (let i = 0; i < 6; i++) outcomes.push(await refusal(send({ account, to }, by)));
    }
    const once = [...Array(5).fill("fulfilled"), "code.too_many"];
    expect(outcomes).toEqual([...once, ...once]);
  });

  it("stop what goes to one mailbox under many names, and tell nobody", async () => {
    const by = limited();
    for (let i = 0; i < 12; i++) await send({ account: `name-${i}`, to: "carl@example.com" }, by);
    expect(sent.filter(({ to }) => to === "carl@example.com")).toHaveLength(10);
  });

  it("lock the person out after many wrong codes by whatever name, and not another one", async () => {
    const by = limited();
    const [dora, emil] = [await world.aUser("dora"), await world.aUser("emil")];
    const first = await send({ account: "dora", userId: dora }, by);
    for (let i = 0; i < 5; i++) await refusal(check(first, wrong(first.code), { by }));
    const second = await send({ account: "dora@example.com", userId: dora }, by);
    for (let i = 0; i < 5; i++) await refusal(check(second, wrong(second.code), { by }));
    const third = await send({ account: "13700001111", userId: dora }, by);
    expect(await refusal(check(third, third.code, { by }))).toBe("credential.locked");
    const other = await send({ account: "emil", userId: emil }, by);
    expect((await check(other, other.code, { by })).userId).toBe(emil);
  });

  it("count wrong codes of who has shown who he is apart: others must not lock him out of those", async () => {
    const by = limited();
    const fay = await world.aUser("fay");
    for (const account of ["fay", "fay@example.com"]) {
      const asked = await send({ account, userId: fay, to: "fay@example.com" }, by);
      for (let i = 0; i < 5; i++) await refusal(check(asked, wrong(asked.code), { by }));
    }
    const own = await send({ purpose: "second-factor", userId: fay, to: "fay@example.com" }, by);
    expect((await check(own, own.code, { by })).userId).toBe(fay);
  });

  it("lock a name that is nobody's in the same way", async () => {
    const by = limited();
    const nobody = { account: "nobody-here", userId: null, to: null };
    for (let round = 0; round < 2; round++) {
      const asked = await send(nobody, by);
      for (let i = 0; i < 5; i++) await refusal(check(asked, "000000", { by }));
    }
    expect(await refusal(check(await send(nobody, by), "000000", { by }))).toBe("credential.locked");
  });
});

describe("many at once", () => {
  // All tests come from one address, of which only so many codes may be asked in that time.
  beforeEach(() => void world.clock.advance(900));

  const limited = (): Deps => {
    const { database, clock } = world;
    return { ...deps, limits: createRateLimits({ kind: "postgres", database, clock, log: QUIET }) };
  };

  it("send no more codes to an account than one after the other", async () => {
    const by = limited();
    const asked = Array.from({ length: 20 }, (_, i) =>
      send({ subject: `race-${i}`, account: "Racing@example.com" }, by),
    );
    const outcomes = await Promise.all(asked.map(refusal));
    expect(outcomes.filter((outcome) => outcome === "fulfilled")).toHaveLength(5);
    expect(new Set(outcomes)).toEqual(new Set(["fulfilled", "code.too_many"]));
    expect(sent.length).toBeLessThanOrEqual(5);
  });

  it("do not fill a mailbox by writing its address in other cases", async () => {
    const variants = Array.from({ length: 14 }, (_, i) => {
      const bits = [..."flooded"].map((letter, at) => ((i >> at) & 1 ? letter.toUpperCase() : letter));
      return `${bits.join("")}@example.com`;
    });
    const by = limited();
    for (const [i, to] of variants.entries())
      await send({ subject: `flood-${i}`, account: `acc-${i}`, to }, by);
    expect(sent).toHaveLength(10);
  });
});
