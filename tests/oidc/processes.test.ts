import { describe, expect, it } from "vitest";
import { aDatabase } from "../../packages/server/src/testing/a-database.ts";
import { Browser } from "./browser.ts";
import { aProvider, authorize, authorizeUrl, PASSWORD, pkce, post, redeem, refresh } from "./provider.ts";

describe("a restart in the middle of a flow", () => {
  it("loses nothing: neither the page that is open, nor the code, nor tokens", async () => {
    await using database = await aDatabase();
    const proof = pkce();
    const browser = new Browser();
    const before = await aProvider({ on: database });
    const user = await before.user();
    const client = await before.client();
    const port = Number(new URL(before.url).port);
    const page = await browser.visit(authorizeUrl(before, client, {}, proof));
    await before[Symbol.asyncDispose]();

    const between = await aProvider({ on: database, port });
    const { left } = await browser.submit(page, { identifier: "ann", password: PASSWORD });
    const code = left?.searchParams.get("code") ?? "";
    await between[Symbol.asyncDispose]();

    await using after = await aProvider({ on: database, port });
    const tokens = await redeem(after, client, { code, proof });
    expect(tokens.status).toBe(200);
    expect((await refresh(after, client, tokens.body.refresh_token)).status).toBe(200);
    const form = { token: String(tokens.body.access_token) };
    const { body } = await post(`${after.url}/oauth/introspect`, form, { client });
    expect(body).toMatchObject({ active: true, sub: user.id });
  });
});

describe("two processes on one database", () => {
  it("share flows, codes, keys and refusals", async () => {
    await using database = await aDatabase();
    await using one = await aProvider({ on: database });
    // Behind one public address, as behind a load balancer.
    await using two = await aProvider({ on: database, config: { publicUrl: one.url } });
    const user = await one.user();
    const client = await one.client();
    const toTwo = (url: URL) => new URL(url.pathname + url.search, two.url);

    const browser = new Browser();
    const proof = pkce();
    const page = await browser.visit(authorizeUrl(one, client, {}, proof));
    const there = await browser.visit(toTwo(page.url));
    const { left } = await browser.submit(there, { identifier: "ann", password: PASSWORD });
    const code = left?.searchParams.get("code") ?? "";
    expect(left?.searchParams.get("iss")).toBe(one.url);

    const both = await Promise.all([one, two].map((process) => redeem(process, client, { code, proof })));
    expect(both.map((reply) => reply.status).sort()).toEqual([200, 400]);

    const ann = await two.signedIn(user.id);
    const grant = await authorize(two, client, ann);
    const tokens = await redeem(one, client, grant);
    const token = String(tokens.body.access_token);
    const active = async (process: { url: string }) =>
      (await post(`${process.url}/oauth/introspect`, { token }, { client })).body.active;
    expect(await active(one)).toBe(true);
    expect(await active(two)).toBe(true);

    const races = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        refresh(index % 2 ? one : two, client, tokens.body.refresh_token),
      ),
    );
    expect(races.filter((reply) => reply.status === 200)).toHaveLength(1);
    await expect.poll(() => active(one), { timeout: 1_000 }).toBe(false);
    await expect.poll(() => active(two), { timeout: 1_000 }).toBe(false);
  });
});
