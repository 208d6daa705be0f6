import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aSite, aTenant, PASSWORD } from "./testing/site.ts";
import { hiddenFields } from "./testing/visitor.ts";

let site: Awaited<ReturnType<typeof aSite>>;

beforeAll(async () => {
  site = await aSite();
  await site.user("ann");
});
afterAll(() => site[Symbol.asyncDispose]());

describe("forms that are not ours", () => {
  const fields = { identifier: "ann", password: PASSWORD };

  it("are refused without their token, or with another flow's", async () => {
    const visitor = site.visitor();
    const [one, other] = [
      await visitor.open(`${site.base}/sign-in`),
      await visitor.open(`${site.base}/sign-in`),
    ];
    const forged = await visitor.submit(one, { ...fields, csrf: undefined });
    expect(forged.status).toBe(403);
    expect(forged.body).toContain("We could not take this form");
    const { csrf } = hiddenFields(other);
    expect((await visitor.submit(one, { ...fields, csrf })).status).toBe(403);
  });

  it("are refused in another browser", async () => {
    const page = await site.visitor().open(`${site.base}/sign-in`);
    expect((await site.visitor().submit(page, fields)).status).toBe(403);
    const stranger = site.visitor();
    await stranger.open(`${site.base}/sign-in`);
    expect((await stranger.submit(page, fields)).status).toBe(403);
    const { flow = "" } = hiddenFields(page);
    expect((await stranger.get(`${site.base}/sign-in?flow=${flow}`)).status).toBe(404);
  });

  it("are refused at another tenant, even with this one's cookies", async () => {
    const other = await aTenant(site.server);
    const visitor = site.visitor();
    const page = await visitor.open(`${site.base}/sign-in`);
    const own = visitor.cookies.get(`ostiary_flow_${site.tenant.slug}`) ?? "";
    visitor.cookies.set(`ostiary_flow_${other.tenant.slug}`, own);
    const posted = await visitor.post(`${other.base}/sign-in`, { ...hiddenFields(page), ...fields });
    expect(posted.status).toBe(404);
  });

  it.each([
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { origin: "https://evil.example" },
    { origin: "null" },
  ])("are refused when the browser says they come from elsewhere: %o", async (headers) => {
    const visitor = site.visitor();
    const page = await visitor.open(`${site.base}/sign-in`);
    expect((await visitor.submit(page, fields, headers)).status).toBe(403);
    const own = { "sec-fetch-site": "same-origin", origin: "http://ostiary.test" };
    expect((await visitor.submit(page, fields, own)).status).toBe(303);
  });

  it("are refused as anything but forms", async () => {
    const { app } = site.server;
    const answer = await app.inject({ method: "POST", url: `${site.base}/sign-in`, payload: { a: 1 } });
    expect(answer.statusCode).toBe(415);
    expect(answer.headers["content-type"]).toContain("text/html");
  });

  it("never lead to another host", async () => {
    const visitor = await site.signedIn("ann");
    for (const url of [
      `${site.base}/sign-out?post_logout_redirect_uri=https://evil.example`,
      `${site.base}/sign-in?next=https://evil.example`,
    ]) {
      const page = await visitor.get(url);
      expect(page.body).not.toContain("evil.example");
    }
  });
});
