import { IdentityError } from "@ostiary/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aDatabase, type TestDatabase } from "../../testing/a-database.ts";
import { frozenClock } from "../../testing/frozen-clock.ts";
import { contextOf, testDeps } from "../../testing/test-deps.ts";
import type { Deps } from "../deps.ts";
import { ensureDefaultTenant } from "../tenants/index.ts";
import { createUser, findUserByIdentifier } from "../users/index.ts";
import { answerOnce } from "./index.ts";

const clock = frozenClock();
let test: TestDatabase;
let deps: Deps;
let admin: ReturnType<typeof contextOf>;

beforeAll(async () => {
  test = await aDatabase();
  deps = testDeps(test.database, { clock });
  admin = contextOf((await ensureDefaultTenant(deps)).id);
});
afterAll(() => test[Symbol.asyncDispose]());

let effects = 0;
const once = (key: string, context = admin) =>
  answerOnce(deps, context, key, ["POST", "/x"], async () => ({
    status: 201,
    headers: { etag: '"1"' },
    body: { secret: `ak_${++effects}` },
  }));

describe("an idempotency key", () => {
  it("belongs to its caller: two may choose the same", async () => {
    const other = { ...admin, actor: { type: "user" as const, id: "someone" } };
    const [mine, theirs] = [await once("same"), await once("same", other)];
    expect(mine.body).not.toEqual(theirs.body);
    expect(await once("same")).toEqual({ ...mine, replayed: true });
  });

  it("is remembered for a day", async () => {
    const first = await once("daily");
    clock.advance(86_399);
    expect(await once("daily")).toEqual({ ...first, replayed: true });
    clock.advance(2);
    expect((await once("daily")).replayed).toBe(false);
  });

  it("keeps no answer in the clear: it may show a secret", async () => {
    const { body } = await once("sealed");
    const rows = await test.database.query("select * from idempotency_keys");
    expect(JSON.stringify(rows)).not.toContain((body as { secret: string }).secret);
  });

  it("leaves nothing of an effect that fails, and may be used again", async () => {
    const attempt = (fail: boolean) =>
      answerOnce(deps, admin, "failing", ["POST", "/users"], async (joined) => {
        await createUser(joined, admin, { username: "half" });
        if (fail) throw new IdentityError("request.invalid");
        return { status: 201, headers: {} };
      });
    await expect(attempt(true)).rejects.toThrow(expect.objectContaining({ code: "request.invalid" }));
    expect(await findUserByIdentifier(deps, admin.tenantId, "half")).toBeNull();
    expect(await attempt(false)).toMatchObject({ status: 201, replayed: false });
  });

  it("lets one of two work and tells the other to wait", async () => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    let entered = () => {};
    const started = new Promise<void>((resolve) => {
      entered = resolve;
    });
    const slow = answerOnce(deps, admin, "slow", ["POST", "/x"], async () => {
      entered();
      await gate;
      return { status: 200, headers: {} };
    });
    await started;
    await expect(once("slow")).rejects.toThrow(expect.objectContaining({ code: "idempotency.in_progress" }));
    release();
    expect((await slow).status).toBe(200);
  });
});
