// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are the file's own variables
import type {
  ConfigurationFile,
  ConfigurationGrant,
  ConfigurationTenant,
  ConfigurationUnit,
  ConfigurationUser,
} from "@ostiary/contracts";
import fc from "fast-check";
import { expect, it } from "vitest";
import { aDatabase } from "../../testing/a-database.ts";
import { contextOf, testDeps } from "../../testing/test-deps.ts";
import type { Deps } from "../deps.ts";
import { ensureDefaultTenant } from "../tenants/index.ts";
import {
  applyConfiguration,
  exportConfiguration,
  parseYaml,
  readLiterals,
  writeLiterals,
  writeYaml,
} from "./index.ts";

const RUNS = process.env["OSTIARY_FULL_TESTS"] ? 60 : 8;

// Texts that are hard to quote, to compare, or to tell from a variable.
const line = fc.oneof(
  { weight: 3, arbitrary: fc.string({ minLength: 1, maxLength: 12 }) },
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }),
  fc.constantFrom(
    "${HOME}",
    "$${HOME}",
    "yes",
    "null",
    "0o7",
    "1e3",
    "- x",
    "=",
    "# y",
    "{",
    "张三",
    " padded ",
    "a: b",
    "~",
  ),
);
const cleanLine = line.map((text) => text.replace(/[\p{Cc}\p{Cs}]/gu, "") || "x");
const slug = fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,8}[a-z0-9])?$/);
const code = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_.-]{0,10}$/);
const some = <T>(item: fc.Arbitrary<T>, keyOf: (value: T) => string, maxLength = 4) =>
  fc.uniqueArray(item, { maxLength, selector: (value) => keyOf(value).toLowerCase() });
const subset = <T>(values: readonly T[]) => fc.subarray([...values]);
const optional = { requiredKeys: [] };

const settings = fc.record(
  {
    signUp: fc.constantFrom("open" as const, "closed" as const),
    locale: fc.constantFrom("en", "zh-CN", null),
    lockout: fc.record(
      { attempts: fc.integer({ min: 1, max: 1000 }), seconds: fc.integer({ min: 1, max: 900 }) },
      optional,
    ),
    tokens: fc.record(
      { signingAlgorithm: fc.constantFrom("ES256" as const, "RS256" as const, "EdDSA" as const) },
      optional,
    ),
    signIn: fc.record(
      {
        methods: fc.subarray(["password" as const, "passkey" as const, "email_code" as const], {
          minLength: 1,
        }),
        secondFactors: fc.subarray(["totp" as const, "recovery_code" as const]),
        staleSeconds: fc.constantFrom(600, null),
      },
      optional,
    ),
    branding: fc.record(
      { displayName: fc.option(cleanLine), accent: fc.constantFrom("#0f766e", null) },
      optional,
    ),
  },
  optional,
);
const role = fc.record(
  {
    namespace: fc.constantFrom("default", "shop"),
    code: code.filter((text) => text !== "administrator"),
    name: cleanLine,
    description: cleanLine,
    permissions: subset(["*", "user:read", "user:*", "a:b:c", "books/1"]),
  },
  { requiredKeys: ["code"] },
);
const customFields = [
  { key: "badge", type: "string" as const },
  { key: "size", type: "select" as const, options: ["S", "M, L"] },
  { key: "any.thing", type: "object" as const },
  { key: "count", type: "number" as const },
];
const custom = fc.record(
  {
    badge: cleanLine,
    size: fc.constantFrom("S", "M, L"),
    "any.thing": fc.dictionary(
      cleanLine.filter((key) => key !== "__proto__"),
      fc.jsonValue({ maxDepth: 2 }).map((value) => cleanJson(value)),
    ),
    count: fc.double({ noNaN: true, noDefaultInfinity: true }),
  },
  optional,
);
const user = fc.record(
  {
    username: code,
    email: fc.option(code.map((name) => `${name}@example.com`)),
    emailVerified: fc.boolean(),
    phone: fc.option(fc.stringMatching(/^\+?[1-9][0-9]{5,14}$/)),
    externalId: fc.option(code),
    nickname: fc.option(cleanLine),
    status: fc.constantFrom("active" as const, "suspended" as const),
    password: fc.oneof(
      fc.record({ plain: fc.constant("correct horse battery staple") }),
      fc.record({
        hash: fc.constantFrom(
          "5f4dcc3b5aa765d61d8327deb882cf99",
          "$2b$04$N9qo8uLOickgx2ZMRZoMye0RKGZ.Kpvzmj.7N/xhVJEXyQxEqZtFS",
        ),
      }),
    ),
    mustChangePassword: fc.boolean(),
    administrator: fc.boolean(),
    profile: fc.record(
      {
        locale: fc.constantFrom("en", null),
        company: fc.option(cleanLine),
        address: fc.record({ locality: fc.option(cleanLine) }, optional),
      },
      optional,
    ),
    preferences: fc.record({ keepLoggedIn: fc.boolean(), theme: fc.option(cleanLine) }, optional),
    custom,
  },
  { requiredKeys: ["username"] },
);
const application = fc.record(
  {
    key: slug,
    name: cleanLine,
    description: cleanLine,
    secret: fc.stringMatching(/^[!-~]{8,20}$/),
    redirectUris: subset(["https://a.example/cb", "http://127.0.0.1:9001/?a=%20", "com.example.app:/cb"]),
    allowedReturnOrigins: subset(["https://a.example"]),
    scopes: subset(["openid" as const, "profile" as const, "manage" as const]),
    administers: fc.constantFrom("tenant" as const, null),
    consent: fc.constantFrom("ask" as const, "implicit" as const),
    status: fc.constantFrom("active" as const, "disabled" as const),
    settings: fc.record({ accessTokenSeconds: fc.constantFrom(60, null) }, optional),
  },
  { requiredKeys: ["key"] },
);
const some3 = <T>(item: fc.Arbitrary<T>) => fc.array(item, { maxLength: 3 });
const resource = fc.record(
  {
    namespace: fc.constantFrom("default", "shop"),
    code,
    type: fc.constantFrom("DATA" as const, "MENU" as const),
    name: cleanLine,
    names: fc.constantFrom({}, { "zh-CN": "书" }),
    actions: fc.constantFrom([], ["read"], ["read", { name: "edit", description: "x" }]),
  },
  { requiredKeys: ["code", "type"] },
);
const policy = fc.record(
  {
    namespace: fc.constantFrom("default", "shop"),
    code,
    name: cleanLine,
    statements: some3(
      fc.record(
        {
          resources: fc.constantFrom(["books:*"], ["a", "b"]),
          actions: fc.constantFrom(["*"], ["read"]),
          effect: fc.constantFrom("allow" as const, "deny" as const),
          conditions: fc.constantFrom(
            [],
            [{ attribute: "request.ip", operator: "cidr" as const, value: ["10.0.0.0/8"] }],
            [{ attribute: "user.company", operator: "equals" as const, value: "${HOME}" }],
          ),
        },
        { requiredKeys: ["resources", "actions", "effect"] },
      ),
    ),
  },
  { requiredKeys: ["code", "statements"] },
);
const group = fc.record(
  { code, name: cleanLine, description: cleanLine, level: fc.constantFrom(0, 5, null) },
  { requiredKeys: ["code"] },
);
const unitTexts = { name: cleanLine, names: fc.constantFrom({}, { en: "Unit" }), position: fc.nat(9) };
const organization = fc.record(
  {
    code,
    name: cleanLine,
    units: fc.tuple(fc.nat(2), fc.record(unitTexts, optional)).map(([depth, texts]): ConfigurationUnit[] => {
      const below = depth === 2 ? [{ code: "u-2" }, { code: "u-3" }] : [];
      return depth === 0 ? [] : [{ ...texts, code: "u-1", units: below } as ConfigurationUnit];
    }),
  },
  { requiredKeys: ["code", "units"] },
);
const hexKey = fc.stringMatching(/^ak_[0-9a-f]{32}$/);

function cleanJson(value: unknown): never {
  return JSON.parse(
    JSON.stringify(value)
      .replace(/\\u0000|\\ud[89a-f]../gi, "?")
      .replaceAll("__proto__", "proto"),
  ) as never;
}

/** A tenant whose parts refer to each other only where there is something to refer to. */
const tenant = fc
  .tuple(
    settings,
    some(role, (r) => `${r.namespace ?? "default"}/${r.code}`),
    fc.array(user, { maxLength: 4 }),
    some(application, (a) => a.key),
    fc.array(fc.tuple(hexKey, cleanLine, fc.nat()), { maxLength: 3 }),
    fc.infiniteStream(fc.nat()),
    fc.tuple(
      some(resource, (r) => `${r.namespace ?? "default"}/${r.code}`),
      some(policy, (p) => `${p.namespace ?? "default"}/${p.code}`),
      some(group, (g) => g.code),
      some(organization, (o) => o.code),
    ),
  )
  .map(([settingsOf, roles, users, applications, keys, dice, access]): Omit<ConfigurationTenant, "slug"> => {
    const roll = () => Number(dice.next().value);
    const pick = <T>(list: readonly T[]) => list.filter(() => roll() % 2 === 0);
    const people = distinct(users).map((one) => ({
      ...one,
      roles: pick(
        roles.map(({ namespace = "default", code: c }) =>
          namespace === "default" ? c : `${namespace}/${c}`,
        ),
      ),
    }));
    const [resources, policies, groups, organizations] = access;
    const nameOf = ({ namespace: n = "default", code: c }: { namespace?: string; code: string }) =>
      n === "default" ? c : `${n}/${c}`;
    const subjects: ConfigurationGrant[] = [
      ...people.map(({ username }) => ({ user: username })),
      ...groups.map(({ code: c }) => ({ group: c })),
      ...organizations.map(({ code: c }) => ({ unit: c, inherit: roll() % 2 === 0 })),
      ...applications.map(({ key }) => ({ application: key })),
    ];
    const grants = pick(subjects).flatMap((subject): ConfigurationGrant[] => [
      ...pick(policies).map((p) => ({ ...subject, policy: nameOf(p), enabled: roll() % 2 === 0 })),
      ...("user" in subject ? [] : pick(roles)).map((r) => ({ ...subject, role: nameOf(r) })),
      ...pick(["books:1", "${HOME}"]).map((c) => ({ ...subject, resource: c, actions: ["read"] })),
    ]);
    const parents = new Map<string, string>();
    const members = () => pick(people).map(({ username }) => username);
    return {
      settings: settingsOf,
      customFields,
      namespaces: [{ code: "shop", name: "Shop" }],
      resources: resources as unknown as NonNullable<ConfigurationTenant["resources"]>,
      policies: policies as unknown as NonNullable<ConfigurationTenant["policies"]>,
      groups: groups.map((one) => ({ ...one, members: members() })),
      organizations: organizations.map((one) => ({ ...one, members: members() })),
      grants,
      delegations: people.slice(0, 1).flatMap(({ username }) =>
        organizations.map(({ code: c }) => ({
          user: username,
          inOrganization: c,
          permissions: ["organization:read"],
        })),
      ),
      roles: roles.map((r) => {
        const n = r.namespace ?? "default";
        const parent = parents.get(n);
        parents.set(n, nameOf(r));
        return parent === undefined ? r : { ...r, parent };
      }),
      users: people as ConfigurationUser[],
      applications: applications.map((one) => ({
        ...one,
        ...(roll() % 2
          ? { access: "assigned" as const, users: pick(people).map(({ username }) => username) }
          : {}),
      })),
      billingRules: [
        { path: "/a/{b}", price: "0.10", method: "GET" },
        ...applications.map(({ key, name }) => ({
          application: key,
          path: "https://api.example.com/**",
          kind: "dynamic" as const,
          name: name ?? key,
        })),
      ],
      apiKeys: distinctBy(keys, ([key]) => key).map(([key, name, index]) => {
        const [owner, app] = [people[index % 5], applications[index % 5]];
        if (owner) return { name, key, type: "user" as const, user: owner.username };
        if (app) return { name, key, type: "application" as const, application: app.key };
        return { name, key, type: "global" as const, permissions: ["user:read"] };
      }),
    };
  });

function distinctBy<T>(list: readonly T[], keyOf: (item: T) => string | null | undefined): T[] {
  const seen = new Set<string>();
  return list.filter((item) => {
    const key = keyOf(item);
    if (key === undefined || key === null) return true;
    return !seen.has(key.toLowerCase()) && seen.add(key.toLowerCase());
  });
}

type Person = { username: string; email?: string | null; phone?: string | null; externalId?: string | null };
function distinct<T extends Person>(users: readonly T[]): T[] {
  const byName = distinctBy(users, (one) => one.username);
  const byEmail = distinctBy(byName, (one) => one.email);
  return distinctBy(
    distinctBy(byEmail, (one) => one.phone),
    (one) => one.externalId,
  );
}

async function textOf(file: ConfigurationFile): Promise<string> {
  let text = "";
  for await (const piece of writeYaml(writeLiterals(file))) text += piece;
  return text;
}

const exportAll = (deps: Deps, tenantId: string) =>
  exportConfiguration(deps, contextOf(tenantId), { credentials: true });

it("applying what was exported changes nothing, here and as YAML, and makes the same on an empty database", {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(tenant, tenant, async (first, second) => {
      await using one = await aDatabase();
      await using two = await aDatabase();
      const [here, there] = [testDeps(one.database), testDeps(two.database)];
      const { id } = await ensureDefaultTenant(here);
      const file: ConfigurationFile = {
        version: "ostiary/v1",
        tenants: [
          { slug: "default", ...first },
          { slug: "acme", name: "Acme", ...withoutKeys(second) },
        ],
      };
      await applyConfiguration(here, contextOf(id), file);
      const again = await applyConfiguration(here, contextOf(id), file);
      expect(again.changes, "the file itself, a second time").toEqual([]);

      const exported = await exportAll(here, id);
      const text = await textOf(exported);
      expect(readLiterals(parseYaml(text)), "YAML says what was written").toEqual(
        JSON.parse(JSON.stringify(exported)),
      );
      const applied = await applyConfiguration(here, contextOf(id), exported);
      expect(applied.changes, "the export").toEqual([]);
      expect(await exportAll(here, id)).toEqual(exported);

      const fresh = await ensureDefaultTenant(there);
      const copied = await applyConfiguration(there, contextOf(fresh.id), exported);
      expect(copied.generated).toEqual([]);
      expect(await exportAll(there, id)).toEqual(exported);
    }),
    { numRuns: RUNS, endOnFailure: true },
  );
});

/** A key's value is unique in the whole installation, and so is a secret's that is given twice no matter. */
function withoutKeys(part: Omit<ConfigurationTenant, "slug">): Omit<ConfigurationTenant, "slug"> {
  return { ...part, apiKeys: [] };
}
