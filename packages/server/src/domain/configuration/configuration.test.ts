import { type ConfigurationFile, type ConfigurationTenant, IdentityError } from "@ostiary/contracts";
import { beforeEach, describe, expect, it } from "vitest";
import { aDatabase, type TestDatabase } from "../../testing/a-database.ts";
import { contextOf, testDeps } from "../../testing/test-deps.ts";
import { findApiKey } from "../api-keys/index.ts";
import {
  checkClientSecret,
  createApplication,
  findApplication,
  listApplications,
} from "../applications/index.ts";
import { listAuditEntries, sealAllAuditEntries } from "../audit/index.ts";
import { setPassword } from "../credentials/index.ts";
import type { Deps } from "../deps.ts";
import { createTenant, ensureDefaultTenant, findTenantBySlug } from "../tenants/index.ts";
import { createUser, findUserByIdentifier, updateUser } from "../users/index.ts";
import { listWebhooks, revealWebhook } from "../webhooks/index.ts";
import { applyConfiguration, exportConfiguration, planConfiguration } from "./index.ts";

let database: TestDatabase;
let deps: Deps;
let tenantId: string;

beforeEach(async () => {
  database = await aDatabase();
  deps = testDeps(database.database);
  tenantId = (await ensureDefaultTenant(deps)).id;
  return () => database[Symbol.asyncDispose]();
});

const EXAMPLE: ConfigurationTenant = {
  slug: "default",
  name: "Example Ltd",
  settings: { signUp: "open", lockout: { attempts: 5 } },
  customFields: [{ key: "badge", type: "string" }],
  applications: [
    {
      key: "shop",
      name: "Shop",
      id: "5f0c00000000000000000001",
      serial: 1001,
      secret: "shop-secret",
      redirectUris: ["http://127.0.0.1:9001/callback"],
      grantTypes: ["authorization_code", "refresh_token", "client_credentials"],
      access: "assigned",
      users: ["zs"],
    },
  ],
  roles: [{ namespace: "default", code: "editor", name: "Editor", permissions: ["user:read", "user:write"] }],
  users: [
    {
      username: "zs",
      email: "zs@example.com",
      emailVerified: true,
      phone: "13800000000",
      nickname: "Zhang San",
      password: { plain: "correct horse battery staple" },
      roles: ["editor"],
      administrator: false,
      profile: { locale: "zh-CN", zoneinfo: "Asia/Shanghai", company: "Example" },
      custom: { badge: "007" },
      preferences: { multipleLogin: true },
      status: "active",
    },
    { username: "root", administrator: true },
  ],
  apiKeys: [
    { name: "ci", type: "user", user: "zs", key: "ak_0123456789abcdef0123456789abcdef" },
    { name: "batch", type: "application", application: "shop", key: "ak_fedcba9876543210fedcba9876543210" },
  ],
};

const file = (...tenants: ConfigurationTenant[]): ConfigurationFile => ({ version: "ostiary/v1", tenants });
const only = (part: Partial<ConfigurationTenant>) => file({ slug: "default", ...part });
const apply = (given: ConfigurationFile) => applyConfiguration(deps, contextOf(tenantId), given);

async function refusal(work: Promise<unknown>): Promise<IdentityError> {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof IdentityError) return error;
  throw error ?? new Error("was not refused");
}

describe("applying a file", () => {
  it("makes everything that it names, and a second time changes nothing", async () => {
    const first = await apply(file(EXAMPLE));
    expect(first.changes.map(({ kind, name, action }) => `${action} ${kind} ${name}`)).toEqual([
      "update tenant default",
      "update settings default",
      "create customField badge",
      "create application shop",
      "create role editor",
      "create user root",
      "create user zs",
      "create apiKey ci",
      "create apiKey batch",
    ]);
    expect(first.generated).toEqual([]);
    const second = await apply(file(EXAMPLE));
    expect(second).toEqual({ changes: [], unchanged: 9, generated: [] });
  });

  it("uses the ids, serials, secrets and keys of the file", async () => {
    await apply(file(EXAMPLE));
    const shop = await findApplication(deps, tenantId, "5f0c00000000000000000001");
    expect(shop?.serial).toBe(1001);
    expect(shop && checkClientSecret(deps, shop, "shop-secret")).toBe(true);
    const key = await findApiKey(deps, "ak_0123456789abcdef0123456789abcdef");
    expect(key?.name).toBe("ci");
  });

  it("changes only what differs, and leaves alone what the file does not name", async () => {
    await apply(file(EXAMPLE));
    const stranger = await createUser(deps, contextOf(tenantId), { username: "stranger" });
    const zs = await findUserByIdentifier(deps, tenantId, "zs");
    const result = await apply(
      only({ users: [{ username: "zs", nickname: "San", profile: { company: "Example", locale: "en" } }] }),
    );
    expect(result.changes).toEqual([
      {
        tenant: "default",
        kind: "user",
        name: "zs",
        action: "update",
        fields: ["nickname", "profile.locale"],
      },
    ]);
    const after = await findUserByIdentifier(deps, tenantId, "zs");
    expect(after).toMatchObject({
      id: zs?.id,
      email: "zs@example.com",
      roles: ["editor"],
      profile: { locale: "en", zoneinfo: "Asia/Shanghai" },
    });
    expect(await findUserByIdentifier(deps, tenantId, "stranger")).toEqual(stranger);
    expect((await findTenantBySlug(deps, "default"))?.settings.signUp).toBe("open");
  });

  it("returns settings that the file no longer names to their defaults", async () => {
    await apply(file(EXAMPLE));
    const result = await apply(only({ settings: { signUp: "open" } }));
    expect(result.changes).toEqual([
      {
        tenant: "default",
        kind: "settings",
        name: "default",
        action: "update",
        fields: ["lockout.attempts"],
      },
    ]);
  });

  it("prints secrets that it generates, once", async () => {
    const made = await apply(
      only({
        applications: [{ key: "own" }],
        apiKeys: [{ name: "job", type: "global", permissions: ["user:read"] }],
      }),
    );
    expect(made.generated.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      "application own",
      "apiKey job",
    ]);
    const [secret = "", key = ""] = made.generated.map((one) => one.secret);
    const [application] = (await listApplications(deps, contextOf(tenantId))).items;
    const own = await findApplication(deps, tenantId, application?.id ?? "");
    expect(own && checkClientSecret(deps, own, secret)).toBe(true);
    expect(await findApiKey(deps, key)).toMatchObject({ type: "global" });
  });

  it("replaces an application's secrets by another one of the file", async () => {
    await apply(file(EXAMPLE));
    const result = await apply(only({ applications: [{ key: "shop", secret: "other-secret" }] }));
    expect(result.changes[0]?.fields).toEqual(["secret"]);
    deps = testDeps(database.database); // without what the cache has of the time before
    const shop = await findApplication(deps, tenantId, "5f0c00000000000000000001");
    expect(shop && checkClientSecret(deps, shop, "other-secret")).toBe(true);
    expect(shop && checkClientSecret(deps, shop, "shop-secret")).toBe(false);
  });

  it("leaves an imported hash alone once it is applied, however it is stored", async () => {
    const users = [
      { username: "old", password: { hash: "5f4dcc3b5aa765d61d8327deb882cf99" } },
      {
        username: "crypt",
        password: { hash: "$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy" },
      },
    ];
    await apply(only({ users }));
    expect((await apply(only({ users }))).changes).toEqual([]);
    const old = await findUserByIdentifier(deps, tenantId, "old");
    await setPassword(deps, contextOf(tenantId), old?.id ?? "", { plain: "something else entirely" });
    expect((await apply(only({ users }))).changes[0]?.fields).toEqual(["password"]);
  });

  it("makes the next administrator before it takes the last one away", async () => {
    await apply(only({ users: [{ username: "one", administrator: true }] }));
    const users = [
      { username: "one", administrator: false },
      { username: "two", administrator: true },
    ];
    await apply(only({ users }));
    expect((await findUserByIdentifier(deps, tenantId, "one"))?.roles).toEqual([]);
    expect(
      (await refusal(apply(only({ users: [{ username: "two", roles: [], administrator: false }] })))).code,
    ).toBe("user.last_administrator");
  });

  it("does all or nothing, and names the entry that was refused", async () => {
    const users = [{ username: "fine" }, { username: "bad", roles: ["nobody"] }];
    const error = await refusal(apply(only({ name: "New", users })));
    expect(error.code).toBe("role.not_found");
    expect(error.fields?.[0]?.path).toBe("/tenants/0/users/1");
    expect(await findUserByIdentifier(deps, tenantId, "fine")).toBeNull();
    expect((await findTenantBySlug(deps, "default"))?.name).toBe("Default");
  });

  it("does not take another person for the one it names because of a second identifier", async () => {
    await apply(file(EXAMPLE));
    const error = await refusal(apply(only({ users: [{ username: "new", email: "zs@example.com" }] })));
    expect(error.code).toBe("user.email_taken");
  });

  it("leaves a trace in the audit log", async () => {
    await apply(only({ name: "New" }));
    await apply(only({ name: "New" }));
    const entries = async () => {
      await sealAllAuditEntries(deps); // waits for transactions of other tests too
      const { items } = await listAuditEntries(deps, tenantId, { type: "configuration.applied" }, 10);
      return items.map(({ data }) => data);
    };
    await expect.poll(entries, { timeout: 10_000 }).toEqual([{ changes: 1 }]);
  });

  it("can be done twice at once", async () => {
    const results = await Promise.all([apply(file(EXAMPLE)), apply(file(EXAMPLE))]);
    expect(results.map(({ changes }) => changes.length).sort()).toEqual([0, 9]);
  });
});

describe("ids and serials of the file", () => {
  const ID = "5f0a00000000000000000001";

  it("give a fresh installation's tenant its id", async () => {
    const result = await apply(
      only({ id: ID, users: [{ username: "zs", id: "5f0b00000000000000000001", serial: 7 }] }),
    );
    expect(result.changes[0]).toMatchObject({ kind: "tenant", action: "update", fields: ["id"] });
    expect((await findTenantBySlug(deps, "default"))?.id).toBe(ID);
    expect(await findUserByIdentifier(deps, ID, "zs")).toMatchObject({
      id: "5f0b00000000000000000001",
      serial: 7,
    });
    tenantId = ID;
    expect((await apply(only({ id: ID }))).changes).toEqual([]);
  });

  it.each([
    ["a role", { roles: [{ code: "editor" }] }],
    ["a custom field", { customFields: [{ key: "badge", type: "string" as const }] }],
    ["a key", { apiKeys: [{ name: "ci", type: "global" as const, permissions: ["user:read"] }] }],
  ])("leave alone a tenant that holds anything, such as %s", async (_what, part) => {
    await apply(only(part));
    expect((await refusal(apply(only({ id: ID })))).code).toBe("object.id_fixed");
  });

  it.each([
    ["tenant", { id: ID }, "/tenants/0"],
    ["user", { users: [{ username: "zs", id: ID }] }, "/tenants/0/users/0/id"],
    ["user's serial", { users: [{ username: "zs", serial: 999_999 }] }, "/tenants/0/users/0/serial"],
    ["application", { applications: [{ key: "shop", id: ID }] }, "/tenants/0/applications/0/id"],
    [
      "application's serial",
      { applications: [{ key: "shop", serial: 5 }] },
      "/tenants/0/applications/0/serial",
    ],
  ])("are refused where the existing %s has another one", async (_what, part, path) => {
    await apply(file(EXAMPLE));
    const error = await refusal(apply(only(part)));
    expect(error.code).toBe("object.id_fixed");
    expect(error.fields?.[0]?.path).toBe(path);
  });
});

describe("a plan", () => {
  it("says what the application then does, and changes nothing", async () => {
    const planned = await planConfiguration(deps, contextOf(tenantId), file(EXAMPLE));
    expect(await findUserByIdentifier(deps, tenantId, "zs")).toBeNull();
    expect((await apply(file(EXAMPLE))).changes).toEqual(planned.changes);
  });
});

describe("message templates", () => {
  const words = {
    template: "sign-in-code" as const,
    channel: "email" as const,
    locale: "fr",
    subject: "Code {{code}}",
    text: "{{code}}",
  };

  it("are written once, changed when they differ, and exported as they are", async () => {
    const wanted = only({ messageTemplates: [words] });
    expect((await apply(wanted)).changes).toMatchObject([{ kind: "messageTemplate", action: "create" }]);
    expect((await apply(wanted)).changes).toEqual([]);
    const other = { ...words, text: "Votre code : {{code}}" };
    expect((await apply(only({ messageTemplates: [other] }))).changes).toMatchObject([
      { name: "sign-in-code/email/fr", action: "update", fields: ["text"] },
    ]);
    const exported = await exportConfiguration(deps, contextOf(tenantId), { credentials: false });
    expect(exported.tenants[0]?.messageTemplates).toEqual([other]);
  });

  it("name the entry that has a value which the message has not", async () => {
    const failure = await refusal(apply(only({ messageTemplates: [{ ...words, text: "{{ip}}" }] })));
    expect(failure.fields?.[0]?.path).toMatch(/messageTemplates\/0\/text$/);
  });
});

describe("webhooks", () => {
  const hook = { url: "http://127.0.0.1:9002/hook", events: ["user.*"], secret: "hook-secret" };
  const secretOf = async () => {
    const { items } = await listWebhooks(deps, contextOf(tenantId));
    return revealWebhook(deps, contextOf(tenantId), items[0]?.id ?? "");
  };

  it("are found by address, and changed only where they differ", async () => {
    const headers = { authorization: "Bearer of-the-receiver" };
    const entry = { ...hook, headers };
    expect((await apply(only({ webhooks: [entry] }))).changes).toMatchObject([
      { kind: "webhook", action: "create" },
    ]);
    expect((await apply(only({ webhooks: [entry] }))).changes).toEqual([]);
    expect((await apply(only({ webhooks: [{ ...entry, secret: "another" }] }))).changes).toMatchObject([
      { kind: "webhook", action: "update", fields: ["secret"] },
    ]);
    expect(await secretOf()).toEqual({ secret: "another", headers });
  });

  it("get a secret that is shown once, when the file has none", async () => {
    const { secret: _secret, ...entry } = hook;
    const { generated } = await apply(only({ webhooks: [entry] }));
    expect(generated).toMatchObject([{ kind: "webhook", name: hook.url }]);
    expect((await secretOf()).secret).toBe(generated[0]?.secret);
    expect((await apply(only({ webhooks: [entry] }))).changes).toEqual([]);
  });

  it("are exported with sealed secrets, and come back as they were", async () => {
    const applications = EXAMPLE.applications?.map(({ users: _users, ...application }) => application) ?? [];
    const webhooks = [hook, { ...hook, application: "shop", format: "huace" as const, secret: null }];
    await apply(only({ applications, webhooks }));
    const exported = await exportConfiguration(deps, contextOf(tenantId), { credentials: true });
    expect(JSON.stringify(exported)).not.toContain("hook-secret");
    expect((await apply(exported)).changes).toEqual([]);
    const [first] = exported.tenants[0]?.webhooks ?? [];
    if (!first) throw new Error("no webhook was exported");
    const broken = `${first.sealed?.slice(0, -4)}AAAA`;
    expect((await refusal(apply(only({ webhooks: [{ ...first, sealed: broken }] })))).code).toBe(
      "configuration.invalid",
    );
  });
});

describe("rights", () => {
  const as = (...permissions: string[]) => contextOf(tenantId, { permissions: new Set(permissions) });

  it("are needed for the file and for each change", async () => {
    const users = { users: [{ username: "zs" }] };
    expect((await refusal(applyConfiguration(deps, as("user:write"), only(users)))).code).toBe(
      "permission.denied",
    );
    expect((await refusal(applyConfiguration(deps, as("configuration:write"), only(users)))).code).toBe(
      "permission.denied",
    );
    await applyConfiguration(deps, as("configuration:write", "user:write"), only(users));
  });

  it("cannot be escalated by a file", async () => {
    const error = await refusal(
      applyConfiguration(
        deps,
        as("configuration:write", "user:*", "role:*"),
        only({ users: [{ username: "x", administrator: true }] }),
      ),
    );
    expect(error.code).toBe("permission.escalation");
  });

  it("do not let a file find out an administrator's password", async () => {
    await apply(
      only({
        users: [{ username: "root", administrator: true, password: { plain: "correct horse battery" } }],
      }),
    );
    for (const plain of ["correct horse battery", "wrong horse battery"]) {
      const guess = only({ users: [{ username: "root", password: { plain } }] });
      const error = await refusal(planConfiguration(deps, as("configuration:write", "user:*"), guess));
      expect(error.code).toBe("permission.escalation");
    }
  });

  it("end at one's own tenant, but for who manages tenants in the default one", async () => {
    const other = await createTenant(deps, contextOf(tenantId), { slug: "acme", name: "Acme" });
    const acme = file({ slug: "acme", name: "Acme 2" });
    expect((await refusal(applyConfiguration(deps, contextOf(other.id), only({ name: "Mine" })))).code).toBe(
      "permission.denied",
    );
    await applyConfiguration(deps, contextOf(other.id), acme);
    expect((await refusal(applyConfiguration(deps, as("configuration:write", "tenant:*"), acme))).code).toBe(
      "permission.denied",
    );
    const made = await apply(
      file({ slug: "acme", users: [{ username: "zs" }] }, { slug: "fresh", name: "Fresh" }),
    );
    expect(made.changes.map(({ tenant, kind }) => `${tenant} ${kind}`)).toEqual([
      "acme user",
      "fresh tenant",
    ]);
    expect(await findUserByIdentifier(deps, other.id, "zs")).not.toBeNull();
  });

  it("to export credentials are all rights", async () => {
    await apply(file(EXAMPLE));
    const reader = as(
      "configuration:read",
      "user:read",
      "namespace:read",
      "resource:read",
      "policy:read",
      "access-grant:read",
      "group:read",
      "organization:read",
      "role:read",
      "application:read",
      "api-key:read",
      "webhook:read",
      "billing-rule:read",
      "settings:read",
    );
    expect((await refusal(exportConfiguration(deps, reader, { credentials: true }))).code).toBe(
      "permission.escalation",
    );
    const text = JSON.stringify(await exportConfiguration(deps, reader, { credentials: false }));
    expect(text).not.toContain("hash");
  });
});

describe("an export", () => {
  it("holds no secret in the clear, and never a hash of another installation", async () => {
    await apply(file(EXAMPLE));
    const exported = await exportConfiguration(deps, contextOf(tenantId), { credentials: true });
    const text = JSON.stringify(exported);
    for (const secret of ["shop-secret", "correct horse", "ak_0123"]) expect(text).not.toContain(secret);
    const elsewhere = await aDatabase();
    try {
      const foreign = {
        ...testDeps(elsewhere.database),
        secrets: { ...deps.secrets, keyedHash: () => Buffer.alloc(32) },
      };
      const { id } = await ensureDefaultTenant(foreign);
      const error = await refusal(applyConfiguration(foreign, contextOf(id), exported));
      expect(error.code).toBe("configuration.invalid");
      expect(error.fields?.[0]?.path).toBe("/tenants/0/applications/0/secrets/0/hash");
    } finally {
      await elsewhere[Symbol.asyncDispose]();
    }
  });

  it("leaves deleted users, other tenants' things and built-in roles out", async () => {
    const other = await createTenant(deps, contextOf(tenantId), { slug: "acme", name: "Acme" });
    await createApplication(deps, contextOf(other.id), { slug: "theirs", name: "Theirs" });
    const zs = await createUser(deps, contextOf(tenantId), { username: "zs" });
    await updateUser(deps, contextOf(tenantId), zs.id, { status: "suspended" });
    const { tenants } = await exportConfiguration(deps, contextOf(other.id), { credentials: true });
    expect(tenants.map(({ slug }) => slug)).toEqual(["acme"]);
    const mine = await exportConfiguration(deps, contextOf(tenantId), {
      credentials: true,
      tenant: "default",
    });
    expect(mine.tenants[0]).toMatchObject({ users: [{ username: "zs", status: "suspended" }] });
    expect(mine.tenants[0]).not.toHaveProperty("roles");
    expect(mine.tenants[0]).not.toHaveProperty("applications");
  });
});
