import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Principal } from "../../domain/access/index.ts";
import { toApplicationName, toTokenState, toUserInfo } from "./translate.ts";

const zs: Principal = {
  tenantId: "5f0a00000000000000000001",
  userId: "5f0b00000000000000000001",
  serial: 7,
  username: "zs",
  email: "zs@example.com",
  emailVerified: true,
  phone: "13800000000",
  phoneVerified: false,
  nickname: "Zhang San",
  name: null,
  picture: "https://example.com/zs.png",
  profile: { company: "Example", department: "R&D" },
  status: "active",
  createdAt: new Date("2026-01-01T00:00:00Z"),
  updatedAt: new Date("2026-01-01T00:00:00Z"),
  roles: ["editor"],
  permissions: new Set(["user:read", "user:write"]),
  permissionCodes: ["user:read", "user:write"],
};

function fixture(name: string): { data: unknown } {
  return JSON.parse(readFileSync(new URL(`fixtures/${name}.json`, import.meta.url), "utf8")) as {
    data: unknown;
  };
}

describe("the words of huace-aigc-auth-client", () => {
  it("says of a good token whose it is and until when", () => {
    expect(toTokenState(zs, new Date("2026-01-01T00:10:00Z"))).toEqual(fixture("token-verify").data);
  });

  it("says of a user what both versions of the client read", () => {
    expect(toUserInfo(zs)).toEqual(fixture("user-info").data);
  });

  it("has a user name for everybody", () => {
    const nameless = { ...zs, username: null };
    expect(toUserInfo(nameless).username).toBe("zs@example.com");
    expect(toUserInfo({ ...nameless, email: null }).username).toBe("13800000000");
    expect(toUserInfo({ ...nameless, email: null, phone: null }).username).toBe("7");
  });

  it("calls administrator whoever may do everything, and nobody else", () => {
    expect(toUserInfo({ ...zs, permissions: new Set(["*"]) })).toMatchObject({
      is_admin: true,
      isAdmin: true,
    });
    expect(toUserInfo({ ...zs, permissions: new Set(["user:*"]) })).toMatchObject({ is_admin: false });
  });

  it.each([
    ["5f0c00000000000000000001", { id: "5f0c00000000000000000001" }],
    ["500000000000000000000001", { id: "500000000000000000000001" }],
    ["1001", { serial: 1001 }],
  ])("reads the application id %s", (text, name) => {
    expect(toApplicationName(text)).toEqual(name);
  });

  it.each([
    "",
    "0",
    "-1",
    "01",
    "1.0",
    "1e3",
    " 1",
    "None",
    "99999999999999999",
    "5F0C00000000000000000001",
    "1001\n",
  ])("takes %j for no application", (text) => {
    expect(toApplicationName(text)).toBeNull();
  });
});
