import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  audited,
  holding,
  refusal,
  refusals,
  type TwoTenants,
  twoTenants,
} from "../../testing/two-tenants.ts";
import { within } from "../deps.ts";
import {
  addSecret,
  assignUser,
  checkClientSecret,
  createApplication,
  deleteApplication,
  deleteSecret,
  findApplication,
  findApplicationBySerial,
  getApplication,
  listApplications,
  listAssigned,
  listSecrets,
  mayUse,
  unassignUser,
  updateApplication,
} from "./index.ts";

let world: TwoTenants;
let number = 0;
/** A slug that no other test uses. */
let slug: string;
beforeAll(async () => {
  world = await twoTenants();
});
beforeEach(() => {
  slug = `app-${++number}`;
});
afterAll(() => world[Symbol.asyncDispose]());

async function known(id: string) {
  const application = await findApplication(world.deps, world.context.tenantId, id);
  if (!application) throw new Error("no application");
  return application;
}

describe("creating an application", () => {
  it("fills in safe defaults and shows the secret once", async () => {
    const { deps, context } = world;
    const { application, secret } = await createApplication(deps, context, { slug, name: "Shop" });
    expect(application).toMatchObject({
      grantTypes: ["authorization_code", "refresh_token"],
      tokenEndpointAuthMethod: "client_secret_basic",
      scopes: ["openid", "profile", "email", "address", "phone", "offline_access"],
      access: "everyone",
      administers: null,
      consent: "ask",
      version: 1,
    });
    expect(secret).toMatch(/^[\w-]{43}$/);
    expect(await getApplication(deps, context, application.id)).toEqual(application);
    expect(JSON.stringify(application)).not.toContain(secret);
    expect(checkClientSecret(deps, await known(application.id), secret ?? "")).toBe(true);
    expect(checkClientSecret(deps, await known(application.id), `${secret}x`)).toBe(false);
    expect(checkClientSecret(deps, await known(application.id), "")).toBe(false);
  });

  it("gives a public client no secret, and no client_credentials", async () => {
    const { deps, context } = world;
    const input = { slug, name: "SPA", tokenEndpointAuthMethod: "none" } as const;
    const { application, secret } = await createApplication(deps, context, input);
    expect(secret).toBeNull();
    expect(checkClientSecret(deps, await known(application.id), "")).toBe(false);
    expect(await refusal(addSecret(deps, context, application.id))).toBe("application.public_client");
    const wrong = { ...input, slug: `${slug}-2`, grantTypes: ["client_credentials" as const] };
    expect(await refusal(createApplication(deps, context, wrong))).toBe("application.authentication_invalid");
  });

  it("refuses private keys in its key set", async () => {
    const { deps, context } = world;
    const create = (key: Record<string, string>) =>
      createApplication(deps, context, {
        slug,
        name: "Keys",
        tokenEndpointAuthMethod: "private_key_jwt",
        jwks: { keys: [key] },
      });
    const wrong = "application.authentication_invalid";
    expect(await refusal(create({ kty: "EC", crv: "P-256", x: "x", y: "y", d: "d" }))).toBe(wrong);
    expect(await refusal(create({ kty: "oct", k: "secret" }))).toBe(wrong);
    expect(await refusal(create({ kty: "EC", crv: "P-256", x: "x", y: "y" }))).toBe("fulfilled");
  });

  it("names each redirect URI that is wrong, and writes nothing", async () => {
    const { deps, context } = world;
    const redirectUris = ["https://a.example/", "http://a.example/", "https://*.example/"];
    const attempt = createApplication(deps, context, { slug, name: "Shop", redirectUris });
    await expect(attempt).rejects.toMatchObject({
      code: "application.redirect_uri_invalid",
      fields: [{ path: "/redirectUris/1" }, { path: "/redirectUris/2" }],
    });
    expect((await listApplications(deps, context, { search: slug })).items).toEqual([]);
  });

  it("lets one of eight at once have the slug", async () => {
    const { deps, context } = world;
    const attempts = Array.from({ length: 8 }, () =>
      refusal(createApplication(deps, context, { slug, name: "Shop" })),
    );
    const outcomes = await Promise.all(attempts);
    expect(outcomes.filter((outcome) => outcome === "fulfilled")).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === "application.slug_taken")).toHaveLength(7);
  });

  it("takes a given id, serial and secret, and later serials are higher", async () => {
    const { deps, context } = world;
    const given = { id: "5f0c00000000000000000001", serial: 100_001, secret: "shop-secret" };
    const { application, secret } = await createApplication(deps, context, { slug, name: "Shop" }, given);
    expect([application.id, application.serial, secret]).toEqual([given.id, given.serial, given.secret]);
    expect(checkClientSecret(deps, await known(given.id), "shop-secret")).toBe(true);
    const next = await createApplication(deps, context, { slug: `${slug}-b`, name: "Next" });
    expect(next.application.serial).toBeGreaterThan(100_001);
    const again = createApplication(deps, context, { slug: `${slug}-c`, name: "Again" }, { serial: 100_001 });
    expect(await refusal(again)).toBe("object.id_taken");
  });
});

describe("rights over applications", () => {
  const editor = ["application:read", "application:write"];

  it("are needed for everything", async () => {
    const { deps, context } = world;
    const nobody = holding(context, ["user:*"]);
    const { application } = await createApplication(deps, context, { slug, name: "Shop" });
    const attempts = [
      createApplication(deps, nobody, { slug: `${slug}-b`, name: "Shop" }),
      updateApplication(deps, nobody, application.id, { name: "Mine" }),
      deleteApplication(deps, nobody, application.id),
      getApplication(deps, nobody, application.id),
      listApplications(deps, nobody),
      listSecrets(deps, nobody, application.id),
      addSecret(deps, nobody, application.id),
      assignUser(deps, nobody, application.id, "0".repeat(24)),
    ];
    expect(await refusals(attempts)).toEqual(["permission.denied"]);
  });

  it("do not reach what is stronger than oneself", async () => {
    const { deps, context } = world;
    const limited = holding(context, editor);
    const manager = { slug, name: "Manager", administers: "tenant" } as const;
    expect(await refusal(createApplication(deps, limited, manager))).toBe("permission.escalation");
    expect(await refusal(createApplication(deps, limited, { slug, name: "x", scopes: ["manage"] }))).toBe(
      "permission.escalation",
    );
    const { application } = await createApplication(deps, context, manager);
    const attempts = [
      updateApplication(deps, limited, application.id, { redirectUris: ["https://evil.example/"] }),
      addSecret(deps, limited, application.id),
      deleteApplication(deps, limited, application.id),
    ];
    expect(await refusals(attempts)).toEqual(["permission.escalation"]);
    const plain = await createApplication(deps, limited, { slug: `${slug}-b`, name: "Plain" });
    expect(
      await refusal(updateApplication(deps, limited, plain.application.id, { administers: "tenant" })),
    ).toBe("permission.escalation");
  });

  it("end at the tenant", async () => {
    const { deps, context, foreign } = world;
    const { application } = await createApplication(deps, context, { slug, name: "Shop" });
    expect(await findApplication(deps, foreign.tenantId, application.id)).toBeNull();
    expect(await findApplicationBySerial(deps, foreign.tenantId, application.serial)).toBeNull();
    // The stranger's look-up must not hide it from its owner either.
    expect((await findApplicationBySerial(deps, context.tenantId, application.serial))?.id).toBe(
      application.id,
    );
    const attempts = [
      getApplication(deps, foreign, application.id),
      updateApplication(deps, foreign, application.id, { name: "Mine" }),
      deleteApplication(deps, foreign, application.id),
      addSecret(deps, foreign, application.id),
      listSecrets(deps, foreign, application.id),
      listAssigned(deps, foreign, application.id),
    ];
    expect(await refusals(attempts)).toEqual(["application.not_found"]);
  });
});

describe("changing an application", () => {
  it("changes what is named, counts versions, and refuses a stale one", async () => {
    const { deps, context } = world;
    const { application } = await createApplication(deps, context, {
      slug,
      name: "Shop",
      homepage: "https://a.example",
    });
    const settings = { accessTokenSeconds: 120 };
    const changed = await updateApplication(deps, context, application.id, { homepage: null, settings }, 1);
    expect(changed).toMatchObject({ name: "Shop", homepage: null, version: 2 });
    expect(changed.settings).toMatchObject({
      accessTokenSeconds: 120,
      refreshTokenSeconds: null,
      idTokenSignedResponseAlg: null,
      secondFactor: null,
      headlessSignIn: null,
    });
    expect(await refusal(updateApplication(deps, context, application.id, { name: "x" }, 1))).toBe(
      "precondition.failed",
    );
    const racers = Array.from({ length: 8 }, (_, i) =>
      refusal(updateApplication(deps, context, application.id, { name: `n${i}` }, 2)),
    );
    expect((await Promise.all(racers)).filter((outcome) => outcome === "fulfilled")).toHaveLength(1);
  });

  it("is heard by the cache at once", async () => {
    const { deps, context } = world;
    const { application } = await createApplication(deps, context, { slug, name: "Shop" });
    await known(application.id);
    expect(findApplication(deps, context.tenantId, application.id)).not.toBeInstanceOf(Promise);
    await updateApplication(deps, context, application.id, { status: "disabled" });
    expect((await known(application.id)).status).toBe("disabled");
    await deleteApplication(deps, context, application.id);
    expect(await findApplication(deps, context.tenantId, application.id)).toBeNull();
  });

  it("never leaves in the cache what a rolled-back transaction saw", async () => {
    const { deps, context, database } = world;
    const { application } = await createApplication(deps, context, { slug, name: "Shop" });
    const attempt = database.transaction(async (tx) => {
      await updateApplication(within(deps, tx), context, application.id, { name: "Never" });
      expect((await findApplication(within(deps, tx), context.tenantId, application.id))?.name).toBe("Never");
      throw new Error("undo");
    });
    await expect(attempt).rejects.toThrow("undo");
    expect((await known(application.id)).name).toBe("Shop");
  });

  it("takes the secrets from a client that becomes public", async () => {
    const { deps, context } = world;
    const { application } = await createApplication(deps, context, { slug, name: "Shop" });
    await updateApplication(deps, context, application.id, { tokenEndpointAuthMethod: "none" });
    expect(await listSecrets(deps, context, application.id)).toEqual([]);
  });
});

describe("secrets", () => {
  it("rotate with an overlap that ends by the clock", async () => {
    const { deps, context, clock } = world;
    const { application, secret } = await createApplication(deps, context, { slug, name: "Shop" });
    const expireOthersAt = new Date(clock.now().getTime() + 3_600_000);
    const next = await addSecret(deps, context, application.id, { expireOthersAt });
    const works = async (text: string | null) =>
      checkClientSecret(deps, await known(application.id), text ?? "");
    expect([await works(secret), await works(next.secret)]).toEqual([true, true]);
    clock.advance(3_600);
    expect([await works(secret), await works(next.secret)]).toEqual([false, true]);
    await deleteSecret(deps, context, application.id, next.id);
    expect(await works(next.secret)).toBe(false);
    expect(await refusal(deleteSecret(deps, context, application.id, next.id))).toBe(
      "application.secret_not_found",
    );
  });

  it("are five at most, however many ask at once", async () => {
    const { deps, context } = world;
    const { application } = await createApplication(deps, context, { slug, name: "Shop" });
    const attempts = Array.from({ length: 8 }, () => refusal(addSecret(deps, context, application.id)));
    const outcomes = await Promise.all(attempts);
    expect(outcomes.filter((outcome) => outcome === "fulfilled")).toHaveLength(4);
    expect(await listSecrets(deps, context, application.id)).toHaveLength(5);
  });

  it("are stored as keyed hashes and recorded without their text", async () => {
    const { deps, context, database } = world;
    const { application, secret } = await createApplication(deps, context, { slug, name: "Shop" });
    const added = await addSecret(deps, context, application.id);
    const items = await audited(world, application.id, 2);
    expect(items.map((entry) => entry.type)).toEqual(["application.secret_created", "application.created"]);
    const rows = await database.query("select encode(hash, 'escape') as hash, hint from application_secrets");
    for (const text of [JSON.stringify(items), JSON.stringify(rows)]) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(added.secret);
    }
  });
});

describe("assignments", () => {
  it("decide who may use an application that is not for everyone", async () => {
    const { deps, context, aUser } = world;
    const ann = await aUser(`ann-${slug}`);
    const input = { slug, name: "Shop", access: "assigned" } as const;
    const { application } = await createApplication(deps, context, input);
    const may = async () => mayUse(deps, await known(application.id), ann);
    expect(await may()).toBe(false);
    await assignUser(deps, context, application.id, ann);
    await assignUser(deps, context, application.id, ann);
    expect(await may()).toBe(true);
    expect((await listAssigned(deps, context, application.id)).items).toHaveLength(1);
    await unassignUser(deps, context, application.id, ann);
    expect(await may()).toBe(false);
    await updateApplication(deps, context, application.id, { access: "everyone" });
    expect(await may()).toBe(true);
  });

  it("know only users of the tenant", async () => {
    const { deps, context, foreign, aUser } = world;
    const ann = await aUser(`ann-${slug}`);
    const { application } = await createApplication(deps, foreign, { slug, name: "Shop" });
    expect(await refusal(assignUser(deps, foreign, application.id, ann))).toBe("user.not_found");
    expect(await refusal(assignUser(deps, context, application.id, ann))).toBe("application.not_found");
  });
});

it("lists page by page, newest first, by name or slug", async () => {
  const { deps, context } = world;
  for (let i = 0; i < 5; i++)
    await createApplication(deps, context, { slug: `${slug}-${i}`, name: `List ${i}` });
  const first = await listApplications(deps, context, { search: slug.toUpperCase(), limit: 3 });
  const after = first.next ?? "";
  const second = await listApplications(deps, context, { search: slug, limit: 3, after });
  expect([...first.items, ...second.items].map((item) => item.name)).toHaveLength(5);
  expect(new Set([...first.items, ...second.items].map((item) => item.id)).size).toBe(5);
  expect(second.next).toBeNull();
});
