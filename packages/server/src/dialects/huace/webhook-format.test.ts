import { createHmac } from "node:crypto";
import { expect, it } from "vitest";
import type { Principal } from "../../domain/access/index.ts";
import type { WebhookEvent } from "../../domain/webhooks/index.ts";
import { huaceFormat } from "./webhook-format.ts";

const user: Principal = {
  tenantId: "5f0a00000000000000000001",
  userId: "5f0b00000000000000000001",
  serial: 7,
  username: "zs",
  email: null,
  emailVerified: false,
  phone: null,
  phoneVerified: false,
  nickname: "张三",
  name: null,
  picture: null,
  profile: {},
  status: "active",
  createdAt: new Date("2026-01-01T00:00:00Z"),
  updatedAt: new Date("2026-01-01T00:00:00Z"),
  roles: ["editor"],
  permissions: new Set(["user:read"]),
  permissionCodes: ["user:read"],
};

function told(type: string, other: Partial<WebhookEvent> = {}): { event: string; data: unknown } | null {
  const rendered = huaceFormat.render({
    id: "5f0d00000000000000000001",
    tenantId: user.tenantId,
    type,
    occurredAt: new Date("2026-01-01T00:00:00Z"),
    actor: { type: "operator", id: null },
    target: { type: "user", id: user.userId },
    outcome: "success",
    data: {},
    user,
    ...other,
  });
  return rendered && (JSON.parse(rendered.body) as { event: string; data: unknown });
}

it("names the fields that changed, in their words", () => {
  const fields = (list: string[]) => told("user.updated", { data: { fields: list } });
  expect(fields(["nickname", "profile"])).toMatchObject({
    event: "user.updated",
    data: {
      username: "zs",
      nickname: "张三",
      updatedFields: ["nickname", "avatar", "company", "department"],
    },
  });
  expect(fields(["preferences"])).toBeNull(); // they have no such field
  expect(told("role.assigned")).toMatchObject({ data: { updatedFields: ["roles", "permissions"] } });
  expect(told("user.suspended", { user: { ...user, status: "suspended" } })).toMatchObject({
    event: "user.updated",
    data: { status: "disabled", updatedFields: ["status"] },
  });
});

it("says whose user is gone, though nothing of him is left", () => {
  const gone: Principal = { ...user, username: null, nickname: null, status: "deleted" };
  expect(told("user.deleted", { user: gone, data: { username: "zs" } })).toEqual({
    event: "user.deleted",
    data: { id: 7, username: "zs" },
  });
  expect(told("user.updated", { user: gone, data: { fields: ["nickname"] } })).toBeNull();
});

it("knows no other events, and none that were refused", () => {
  expect(told("password.changed")).toBeNull();
  expect(told("user.login", { outcome: "refused" })).toBeNull();
  expect(told("user.login")).toMatchObject({ event: "user.login", data: { username: "zs" } });
});

it("signs the bytes of the body with the bytes of the secret, and waits long for a synchronization", () => {
  const body = '{"event":"user.created","data":{"nickname":"张三"}}';
  const head = { id: "d1", event: "user.created", body, at: new Date(1_767_225_600_000) };
  expect(huaceFormat.headers(head, "密钥")).toEqual({
    "x-webhook-event": "user.created",
    "x-webhook-id": "d1",
    "x-webhook-timestamp": "1767225600",
    "x-webhook-signature": createHmac("sha256", Buffer.from("密钥")).update(Buffer.from(body)).digest("hex"),
  });
  expect(huaceFormat.headers(head, null)).not.toHaveProperty("x-webhook-signature");
  expect(huaceFormat.patience?.("user.init_sync_auth")).toBe(600);
  expect(huaceFormat.patience?.("user.created")).toBe(0);
});
