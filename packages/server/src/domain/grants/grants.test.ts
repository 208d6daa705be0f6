import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { newId } from "../../kernel/identifiers.ts";
import { holding, refusal, refusals, type TwoTenants, twoTenants } from "../../testing/two-tenants.ts";
import { createApplication } from "../applications/index.ts";
import { findGrant, listGrants, rememberGrant, revokeGrant } from "./index.ts";

let world: TwoTenants;
let number = 0;
let ann: string;
let shop: string;
beforeAll(async () => {
  world = await twoTenants();
});
beforeEach(async () => {
  const { deps, context, aUser } = world;
  ann = await aUser(`ann-${++number}`);
  shop = (await createApplication(deps, context, { slug: `shop-${number}`, name: "Shop" })).application.id;
});
afterAll(() => world[Symbol.asyncDispose]());

const remember = (scopes: string[]) => rememberGrant(world.deps, world.context, ann, shop, scopes);
const scopesNow = async () => (await findGrant(world.deps, world.context.tenantId, ann, shop))?.scopes;

async function aFamily(): Promise<string> {
  const { database, context, clock } = world;
  const id = newId(clock.now());
  await database.query(
    `insert into token_families (tenant_id, id, application_id, user_id, scopes, created_at, expires_at)
     values ($1, $2, $3, $4, '{}', $5, $5::timestamptz + interval '1 day')`,
    [context.tenantId, id, shop, ann, clock.now()],
  );
  return id;
}

describe("a grant", () => {
  it("adds up, also when two are given at once", async () => {
    expect(await scopesNow()).toBeUndefined();
    await remember(["openid"]);
    await Promise.all([remember(["email"]), remember(["profile", "openid"]), remember(["phone"])]);
    expect(await scopesNow()).toEqual(["email", "openid", "phone", "profile"]);
    expect(await listGrants(world.deps, world.context, ann)).toMatchObject([
      { applicationId: shop, applicationName: "Shop", scopes: ["email", "openid", "phone", "profile"] },
    ]);
  });

  it("ends with the tokens that it gave", async () => {
    const { deps, context, database } = world;
    await remember(["openid"]);
    const family = await aFamily();
    const heard: string[] = [];
    deps.feed.subscribe({ onChange: (noun, id) => void heard.push(`${noun}:${id}`), onGap: () => {} });
    await revokeGrant(deps, holding(context, [], ann), ann, shop);
    expect(await scopesNow()).toBeUndefined();
    expect(heard).toContain(`family:${family}`);
    const rows = await database.query(
      "select id from token_families where id = $1 and revoked_at is not null",
      [family],
    );
    expect(rows).toHaveLength(1);
    expect(await refusal(revokeGrant(deps, context, ann, shop))).toBe("grant.not_found");
  });

  it("that nobody was asked for can be taken back by its tokens", async () => {
    await aFamily();
    expect(await refusal(revokeGrant(world.deps, world.context, ann, shop))).toBe("fulfilled");
  });

  it("is the person's, and an administrator's who has all his rights", async () => {
    const { deps, context, foreign, aUser } = world;
    const boss = await aUser(`boss-${number}`, ["administrator"]);
    await rememberGrant(deps, context, boss, shop, ["openid"]);
    const stranger = holding(context, [], ann);
    expect(
      await refusals([revokeGrant(deps, stranger, boss, shop), listGrants(deps, stranger, boss)]),
    ).toEqual(["permission.denied"]);
    const helper = holding(context, ["session:*"], ann);
    expect(await refusal(revokeGrant(deps, helper, boss, shop))).toBe("permission.escalation");
    expect(await refusal(revokeGrant(deps, foreign, boss, shop))).toBe("grant.not_found");
    expect(await refusal(listGrants(deps, foreign, boss))).toBe("user.not_found");
    expect(await refusal(revokeGrant(deps, context, boss, shop))).toBe("fulfilled");
  });
});
