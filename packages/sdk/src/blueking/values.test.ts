import { describe, expect, it, test } from "vitest";
import { cookieOf } from "./cookies.ts";
import { LoginToken } from "./login-token.ts";
import { ProviderType } from "./providers.ts";
import { scrubData } from "./scrub.ts";
import { currentTimeZone, isTimeZone, runInTimeZone, timeZoneOf } from "./time-zone.ts";
import { BkUserInfo, parseUserInfo, RtxUserInfo, UserInfo } from "./user-info.ts";
import { AnonymousUser, BasicUser, DatabaseUser, User } from "./users.ts";

const START = Date.parse("2026-01-01T00:00:00Z");

/** Written by bkpaas_auth 4.4.0. */
const PYTHON_TOKEN =
  '{"login_token": "k3j2h1g0f9e8d7c6b5a4z3y2x1w0v9", "expires_at": "2026-01-02T00:00:00.123456+00:00", "issued_at": "2026-01-01T00:00:00.123456+00:00", "user_info": {"provider_type": 3, "username": "admin", "display_name": "\\u7ba1\\u7406\\u5458", "time_zone": "Asia/Shanghai", "tenant_id": "system"}, "_user_info_type": "UserInfo"}';

describe("a login token", () => {
  const info = new UserInfo("admin", { displayName: "Admin" }, ProviderType.BK);

  it("is thirty random characters, of a life in seconds", () => {
    const token = LoginToken.issue(info, 86_400, START);
    expect(token.loginToken).toMatch(/^[a-z0-9]{30}$/);
    expect(token.expiresAt - token.issuedAt).toBe(86_400_000);
    expect(LoginToken.issue(info, 1, START).loginToken).not.toBe(token.loginToken);
    expect(() => LoginToken.issue(info, 0, START)).toThrow("more than 0");
  });

  it("is usable up to the very second of the time-out, and of its life", () => {
    const token = LoginToken.issue(info, 600, START);
    expect(token.isUsable(START + 300_000, 300)).toBe(true);
    expect(token.isUsable(START + 300_001, 300)).toBe(false);
    expect(token.isUsable(START + 600_000, 9_999)).toBe(true);
    expect(token.isUsable(START + 600_001, 9_999)).toBe(false);
  });

  it("is written as bkpaas_auth 4.x writes it", () => {
    const json = JSON.parse(LoginToken.issue(info, 60, START).serialize());
    expect(Object.keys(json)).toEqual([
      "login_token",
      "expires_at",
      "issued_at",
      "user_info",
      "_user_info_type",
    ]);
    expect(json.issued_at).toBe("2026-01-01T00:00:00.000000+00:00");
    expect(json.user_info).toEqual({
      provider_type: 3,
      username: "admin",
      display_name: "Admin",
      time_zone: null,
      tenant_id: null,
    });
  });

  it("reads what bkpaas_auth 4.x wrote", () => {
    const token = LoginToken.parse(PYTHON_TOKEN);
    expect(token.issuedAt).toBe(START + 123);
    expect(token.userInfo).toMatchObject({ username: "admin", displayName: "管理员", tenantId: "system" });
  });

  it.each([
    new UserInfo("admin", { timeZone: "UTC" }, ProviderType.BK),
    RtxUserInfo.of({ LoginName: "tom", ChineseName: "汤姆", MobilePhoneNumber: "1" }),
    BkUserInfo.of({ bk_username: "admin", chname: null, email: "a@example.com", phone: null }),
  ])("comes back as it was, with %o", (userInfo) => {
    const token = LoginToken.issue(userInfo, 60, START);
    const back = LoginToken.parse(token.serialize());
    expect(back).toEqual(token);
    expect(Object.getPrototypeOf(back.userInfo)).toBe(Object.getPrototypeOf(userInfo));
  });

  test.each([
    ["no JSON", "\x80\x04pickle"],
    ["a list", "[]"],
    ["another type of user", PYTHON_TOKEN.replace('"UserInfo"', '"os.system"')],
    ["an unknown provider", PYTHON_TOKEN.replace('"provider_type": 3', '"provider_type": 4')],
    ["a time without an offset", PYTHON_TOKEN.replaceAll("+00:00", "")],
    ["no username", PYTHON_TOKEN.replace('"admin"', '""')],
    ["a number for a text", PYTHON_TOKEN.replace('"system"', "7")],
    ["no token", PYTHON_TOKEN.replace("k3j2h1g0f9e8d7c6b5a4z3y2x1w0v9", "")],
  ])("is refused with %s", (_, text) => {
    expect(() => LoginToken.parse(text)).toThrow(expect.objectContaining({ code: "value.invalid" }));
  });
});

describe("a user", () => {
  it("has the fields of the information, the id as its name, and no token in JSON", () => {
    const token = LoginToken.issue(
      RtxUserInfo.of({ LoginName: "tom", ChineseName: "汤姆", time_zone: "UTC" }),
      60,
      START,
    );
    const user = User.ofToken(token, () => START);
    expect(user).toMatchObject({
      username: "tom",
      bkpaasUserId: "0220c7e7",
      pk: "0220c7e7",
      id: null,
      email: "tom@tencent.com",
      phone: "",
      nickname: "汤姆",
      displayName: "tom",
      isAuthenticated: true,
      isAnonymous: false,
      isActive: true,
      isStaff: false,
      isSuperuser: false,
    });
    expect(String(user)).toBe("0220c7e7");
    expect(JSON.stringify(user)).not.toContain(token.loginToken);
  });

  it("is signed in while the token lives, and never without one", () => {
    const token = LoginToken.issue(new UserInfo("a", {}, ProviderType.BK), 60, START);
    expect(User.ofToken(token, () => START + 60_000).isAuthenticated).toBe(true);
    expect(User.ofToken(token, () => START + 60_001).isAuthenticated).toBe(false);
    expect(new User(ProviderType.BK, "a").isAnonymous).toBe(true);
  });

  it("equals the same person only", () => {
    const admin = new User(ProviderType.BK, "admin");
    expect(admin.equals(new BasicUser(ProviderType.BK, "admin"))).toBe(true);
    expect(admin.equals(new User(ProviderType.RTX, "admin"))).toBe(false);
    expect(admin.equals(new User(ProviderType.BK, "root"))).toBe(false);
    expect(new AnonymousUser().equals(new AnonymousUser("x"))).toBe(true);
    expect(admin.equals(new AnonymousUser())).toBe(false);
  });

  it("needs a name and a provider", () => {
    expect(() => new User(ProviderType.BK, "")).toThrow("no username");
    expect(() => new User(4 as ProviderType, "a")).toThrow("no known provider");
    expect(() => User.ofToken(LoginToken.issue(new UserInfo("a"), 1, START))).toThrow("no provider");
    expect(() => parseUserInfo("UserInfo", [])).toThrow("no object");
  });

  it("of the application's table is always signed in", () => {
    const user = new DatabaseUser({ username: "admin", row: 7 });
    expect([user.bkpaasUserId, user.isAuthenticated, user.row.row]).toEqual(["0935cce79c92", true, 7]);
  });
});

describe("masking", () => {
  it("hides what sounds secret, at any depth and in lists, and leaves the input alone", () => {
    const circle: Record<string, unknown> = { bk_token: "a", ok: 1 };
    circle["self"] = circle;
    const input = { Authorization: "b", list: [{ MY_PASSWORD: "c", name: "tom" }], at: new Date(0), circle };
    const masked = scrubData(input);
    expect(masked).toMatchObject({
      Authorization: "******",
      list: [{ MY_PASSWORD: "******", name: "tom" }],
      at: new Date(0),
      circle: { bk_token: "******", ok: 1 },
    });
    expect(input.Authorization).toBe("b");
  });

  it.each(["text", 5, null, undefined, true])("returns %o as it is", (value) => {
    expect(scrubData(value)).toBe(value);
  });
});

describe("a cookie", () => {
  test.each([
    ["bk_token=abc", "abc"],
    ["a=1; bk_token=abc ;b=2", "abc"],
    ['bk_token="a b\\"c\\073"', 'a b"c;'],
    ["bk_token=bkcrypt%24gA%3D", "bkcrypt%24gA%3D"],
    ["bk_token=first; bk_token=last", "last"],
    ["bk_token=", ""],
    ["xbk_token=abc", undefined],
    ["bk_token", undefined],
    ["bk_token=\u00e5\u00bc\u00a0", "张"],
  ])("of %j is %j", (header, value) => {
    expect(cookieOf(header, "bk_token")).toBe(value);
  });
});

describe("a time zone", () => {
  test.each(["Asia/Shanghai", "UTC", "America/Argentina/Buenos_Aires", "Etc/GMT+8"])("%s exists", (name) => {
    expect(isTimeZone(name)).toBe(true);
  });

  test.each(["Mars/Olympus", "../../etc/passwd", "/etc/localtime", "+08:00", "", "a".repeat(500), 5, null])(
    "%j does not",
    (name) => expect(isTimeZone(name)).toBe(false),
  );

  it("is the user's, the default for none and for one that does not exist, and nobody's is untouched", () => {
    const lines: string[] = [];
    const logger = { warn: (line: string) => void lines.push(line), error: () => undefined };
    expect(timeZoneOf({ timeZone: "Asia/Tokyo" }, "UTC", logger)).toBe("Asia/Tokyo");
    expect(timeZoneOf({ timeZone: null }, "UTC", logger)).toBe("UTC");
    expect(timeZoneOf({ timeZone: "../x" }, "UTC", logger)).toBe("UTC");
    expect(timeZoneOf(new AnonymousUser(), "UTC", logger)).toBeUndefined();
    expect(lines).toHaveLength(1);
  });

  it("holds for the request and what it waits for, and not beyond", async () => {
    const seen = await Promise.all(
      ["Asia/Tokyo", "Europe/Paris"].map((timeZone) =>
        runInTimeZone({ timeZone }, "UTC", async () => {
          await Promise.resolve();
          return currentTimeZone();
        }),
      ),
    );
    expect(seen).toEqual(["Asia/Tokyo", "Europe/Paris"]);
    expect(currentTimeZone()).toBeUndefined();
  });
});
