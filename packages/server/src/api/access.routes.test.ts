import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aServer, type TestServer } from "../testing/a-server.ts";
import { callApi } from "../testing/api-client.ts";

let server: TestServer;

beforeAll(async () => {
  server = await aServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const call = async (
  method: Parameters<typeof callApi>[1],
  path: string,
  body?: unknown,
  authorization?: string,
) => {
  const answer = await callApi(server, method, path, {
    ...(body === undefined ? {} : { body }),
    ...(authorization ? { authorization } : {}),
  });
  return { status: answer.statusCode, body: answer.body === "" ? undefined : answer.json() };
};

/** The answer's body; fails unless the status is that of success. */
async function made(path: string, body: object) {
  const answer = await call("POST", path, body);
  expect(answer, JSON.stringify(answer.body)).toMatchObject({ status: 201 });
  return answer.body;
}

let count = 0;
const unique = (prefix: string) => `${prefix}${++count}`;
const aUser = (): Promise<{ id: string }> => made("/users", { username: unique("user") });
const aGroup = (): Promise<{ id: string }> => made("/groups", { code: unique("group") });
const aRole = (permissions: string[], more = {}): Promise<{ id: string; code: string }> =>
  made("/roles", { code: unique("role"), permissions, ...more });
const give = (subject: object, what: object) => made("/access-grants", { subject, ...what });
const user = ({ id }: { id: string }) => ({ type: "user", id });

async function aKeyOf(owner: { id: string }, more = {}): Promise<string> {
  const { key } = await made("/api-keys", { name: "k", type: "user", userId: owner.id, ...more });
  return `Bearer ${key}`;
}

const verdictOf = async (question: object, authorization?: string) => {
  const { status, body } = await call("POST", "/access/check", question, authorization);
  return status === 200 ? body.allowed : body.code;
};
const verdictSoon = (question: object, wanted: boolean) =>
  expect.poll(() => verdictOf(question), { timeout: 1_000, interval: 20 }).toBe(wanted);

describe("a check", () => {
  it("counts roles of groups, of units above, and of parents, and lets denials win", async () => {
    const [member, outsider, group] = [await aUser(), await aUser(), await aGroup()];
    const parent = await aRole(["report:read"]);
    const child = await aRole(["report:write"], { parentId: parent.id });
    await give({ type: "group", id: group.id }, { roleId: child.id });
    await call("POST", `/groups/${group.id}/members/add`, { userIds: [member.id] });
    const read = { action: "read", resource: "report" };
    await verdictSoon({ subject: user(member), ...read }, true);
    expect(await verdictOf({ subject: user(member), action: "write", resource: "report" })).toBe(true);
    expect(await verdictOf({ subject: user(outsider), ...read })).toBe(false);

    const organization = await made("/organizations", { code: unique("org") });
    const unit = await made("/units", { code: "rd", organizationId: organization.id });
    await give({ type: "unit", id: organization.rootUnitId }, { roleId: parent.id, inherit: true });
    await call("PUT", `/units/${unit.id}/members/${outsider.id}`, { main: true });
    await verdictSoon({ subject: user(outsider), ...read }, true);

    const policy = await made("/policies", {
      code: unique("policy"),
      statements: [{ resources: ["rep*"], actions: ["*"], effect: "deny" }],
    });
    const grant = await give(user(outsider), { policyId: policy.id });
    await verdictSoon({ subject: user(outsider), ...read }, false);
    const explained = (await call("POST", "/access/explain", { subject: user(outsider), ...read })).body;
    expect(explained).toMatchObject({ allowed: false, reason: "denied" });
    expect(explained.because[0].chain.map(({ type }: { type: string }) => type)).toEqual(["user", "policy"]);
    await call("PATCH", `/access-grants/${grant.id}`, { enabled: false });
    await verdictSoon({ subject: user(outsider), ...read }, true);
    await call("POST", `/users/${outsider.id}/suspend`);
    await verdictSoon({ subject: user(outsider), ...read }, false);
  });

  it("asks conditions of the user's profile and of what the asker says; what is missing allows nothing", async () => {
    const someone = await made("/users", { username: unique("user"), profile: { department: "R&D" } });
    const policy = await made("/policies", {
      code: unique("policy"),
      statements: [
        {
          resources: ["lab:*"],
          actions: ["enter"],
          effect: "allow",
          conditions: [
            { attribute: "user.department", operator: "equals", value: "R&D" },
            { attribute: "request.ip", operator: "cidr", value: "10.0.0.0/8" },
          ],
        },
      ],
    });
    await give(user(someone), { policyId: policy.id });
    const question = { subject: user(someone), action: "enter", resource: "lab:1" };
    await verdictSoon({ ...question, attributes: { "request.ip": "10.1.2.3" } }, true);
    expect(await verdictOf({ ...question, attributes: { "request.ip": "192.0.2.1" } })).toBe(false);
    expect(await verdictOf({ ...question, attributes: { "request.ip": 7 } })).toBe(false);
    expect(await verdictOf(question)).toBe(false);
    const lied = { "request.ip": "10.1.2.3", "user.department": "R&D" };
    const other = await aUser();
    await give(user(other), { policyId: policy.id });
    expect(await verdictOf({ ...question, subject: user(other), attributes: lied })).toBe(false);
  });

  it("is answered to oneself, to whom may ask, and to an application about its own namespace", async () => {
    const [asker, other] = [await aUser(), await aUser()];
    const key = await aKeyOf(asker);
    const about = (subject: object, namespace = "default") => ({
      subject,
      namespace,
      action: "x",
      resource: "y",
    });
    expect(await verdictOf(about(user(asker)), key)).toBe(false);
    expect(await verdictOf(about(user(other)), key)).toBe("permission.denied");
    const application = await made("/applications", { slug: unique("app"), name: "App" });
    const { key: secret } = await made("/api-keys", {
      name: "k",
      type: "application",
      applicationId: application.id,
    });
    expect(await verdictOf(about(user(other), application.id), `Bearer ${secret}`)).toBe(false);
    expect(await verdictOf(about(user(other)), `Bearer ${secret}`)).toBe("permission.denied");
    const role = await aRole(["access:check"]);
    await call("POST", `/users/${asker.id}/roles/assign`, { roles: [role.code] });
    await expect.poll(() => verdictOf(about(user(other)), key)).toBe(false);
  });

  it("of a thousand is one request, and of more is refused", async () => {
    const someone = await aUser();
    await give(user(someone), { resource: "doc:*", actions: ["read"] });
    const question = (index: number) => ({
      subject: user(someone),
      action: index % 2 ? "read" : "write",
      resource: `doc:${index}`,
    });
    await verdictSoon(question(1), true);
    const questions = Array.from({ length: 1_000 }, (_, index) => question(index));
    const { body } = await call("POST", "/access/check-many", { questions });
    expect(body.results.filter(({ allowed }: { allowed: boolean }) => allowed)).toHaveLength(500);
    const tooMany = await call("POST", "/access/check-many", { questions: [...questions, question(0)] });
    expect(tooMany).toMatchObject({ status: 400, body: { code: "request.invalid" } });
  });
});

describe("list, who and simulate", () => {
  it("agree with check", async () => {
    const someone = await aUser();
    await made("/resources", { code: "album", type: "MENU", actions: ["open", { name: "edit" }] });
    const grant = await give(user(someone), { resource: "album:*", actions: ["open"] });
    const question = { subject: user(someone), action: "open", resource: "album:1" };
    await verdictSoon(question, true);
    const list = await call("POST", "/access/list", { subject: user(someone), type: "MENU" });
    expect(list.body).toEqual({
      allowed: [{ resource: "album:*", type: "MENU", actions: [{ action: "open", conditional: false }] }],
      denied: [],
    });
    const who = await call("POST", "/access/who", { action: "open", resource: "album:1" });
    expect(who.body).toEqual({ items: [{ subject: user(someone), verdict: "allow" }], next: null });
    const other = await aUser();
    const simulated = await call("POST", "/access/simulate", {
      changes: [
        { type: "revoke", grantId: grant.id },
        { type: "grant", grant: { subject: user(other), resource: "album:1", actions: ["*"] } },
      ],
      questions: [question, { ...question, subject: user(other) }],
    });
    expect(simulated.body.results).toEqual([
      { before: true, after: false },
      { before: false, after: true },
    ]);
    expect(await verdictOf(question)).toBe(true);
  });
});

describe("bad input", () => {
  const ghost = "0123456789abcdef01234567";

  it("gets its registered error, and nothing is half-applied", async () => {
    const [someone, role] = [await aUser(), await aRole(["x:y"])];
    const refused = async (path: string, body: object, method: "POST" | "PATCH" = "POST") =>
      (await call(method, path, body)).body.code;
    const grant = (subject: object, what: object) => refused("/access-grants", { subject, ...what });
    expect(await grant(user({ id: ghost }), { roleId: role.id })).toBe("user.not_found");
    expect(await grant({ type: "group", id: ghost }, { roleId: role.id })).toBe("group.not_found");
    expect(await grant(user(someone), { roleId: ghost })).toBe("role.not_found");
    expect(await grant(user(someone), { policyId: ghost })).toBe("policy.not_found");
    expect(await grant(user(someone), { namespace: "nowhere", resource: "x", actions: ["y"] })).toBe(
      "namespace.not_found",
    );
    expect(await grant(user(someone), {})).toBe("access_grant.invalid");
    expect(await grant(user(someone), { roleId: role.id, resource: "x", actions: ["y"] })).toBe(
      "access_grant.invalid",
    );
    expect(await grant(user(someone), { roleId: role.id, inherit: true })).toBe("access_grant.invalid");
    expect(await grant({ type: "role", id: role.id }, { roleId: role.id })).toBe("access_grant.invalid");
    expect(await grant(user(someone), { resource: "*".repeat(9), actions: ["y"] })).toBe("request.invalid");
    expect(await grant(user(someone), { resource: "x".repeat(257), actions: ["y"] })).toBe("request.invalid");

    const policy = (condition: object) =>
      refused("/policies", {
        code: unique("bad"),
        statements: [{ resources: ["x"], actions: ["y"], effect: "allow", conditions: [condition] }],
      });
    expect(await policy({ attribute: "request.ip", operator: "cidr", value: "10.0.0.0/99" })).toBe(
      "policy.invalid",
    );
    expect(await policy({ attribute: "a", operator: "less", value: "two" })).toBe("policy.invalid");
    expect(await policy({ attribute: "a", operator: "like", value: "x" })).toBe("request.invalid");
    expect(await policy({ attribute: "__proto__", operator: "exists", value: true })).toBe("request.invalid");
    expect(await refused("/resources", { code: "x", type: "DATA", namespace: "nowhere" })).toBe(
      "namespace.not_found",
    );
    expect(await refused("/roles", { code: unique("r"), parentId: ghost })).toBe("role.parent_invalid");
    expect(await refused(`/roles/${role.id}`, { parentId: role.id }, "PATCH")).toBe("role.parent_invalid");
    const child = await aRole([], { parentId: role.id });
    const grandchild = await aRole([], { parentId: child.id });
    expect(await refused(`/roles/${role.id}`, { parentId: grandchild.id }, "PATCH")).toBe(
      "role.parent_invalid",
    );
    const bulk = [
      { op: "create", value: { subject: user(someone), roleId: role.id } },
      { op: "create", value: { subject: user(someone), roleId: ghost } },
    ];
    expect(await refused("/access-grants/bulk", { operations: bulk })).toBe("role.not_found");
    const { body } = await call("GET", `/access-grants?subjectType=user&subjectId=${someone.id}`);
    expect(body.items).toEqual([]);
  });

  it("of another tenant is not found", async () => {
    await made("/tenants", { slug: "elsewhere", name: "Elsewhere" });
    const there = { "ostiary-tenant": "elsewhere" };
    const answer = await callApi(server, "POST", "/roles", { body: { code: "theirs" }, headers: there });
    const theirs = answer.json();
    const someone = await aUser();
    const refused = await call("POST", "/access-grants", { subject: user(someone), roleId: theirs.id });
    expect(refused.body.code).toBe("role.not_found");
    const group = await aGroup();
    const foreign = await callApi(server, "POST", `/groups/${group.id}/members/add`, {
      body: { userIds: [someone.id] },
      headers: there,
    });
    expect(foreign.json().code).toBe("group.not_found");
    const parent = await call("POST", "/roles", { code: unique("r"), parentId: theirs.id });
    expect(parent.body.code).toBe("role.parent_invalid");
  });

  it("that repeats a grant is the same grant, and on other terms is refused", async () => {
    const [someone, role] = [await aUser(), await aRole(["x:y"])];
    const first = await give(user(someone), { roleId: role.id });
    expect(await give(user(someone), { roleId: role.id })).toEqual(first);
    const again = await call("POST", "/access-grants", {
      subject: user(someone),
      roleId: role.id,
      enabled: false,
    });
    expect(again).toMatchObject({ status: 409, body: { code: "access_grant.exists" } });
  });
});

describe("delegated administration", () => {
  it("holds in one organization, and gives no more than one has", async () => {
    const [chief, member] = [await aUser(), await aUser()];
    const [ours, theirs] = [
      await made("/organizations", { code: unique("org") }),
      await made("/organizations", { code: unique("org") }),
    ];
    const delegation = {
      subject: user(chief),
      scope: { type: "organization", id: ours.id },
      permissions: ["organization:*", "access-grant:write"],
    };
    const { id } = await made("/delegations", delegation);
    expect((await call("POST", "/delegations", delegation)).body.code).toBe("delegation.exists");
    const key = await aKeyOf(chief);
    const unit = await call("POST", "/units", { code: "a", organizationId: ours.id }, key);
    expect(unit.status).toBe(201);
    const put = (unitId: string) => call("PUT", `/units/${unitId}/members/${member.id}`, {}, key);
    expect((await put(unit.body.id)).status).toBe(200);
    const outside = await call("POST", "/units", { code: "b", organizationId: theirs.id }, key);
    expect(outside.body.code).toBe("permission.denied");
    expect((await put(theirs.rootUnitId)).body.code).toBe("permission.denied");
    const role = await aRole(["user:write"]);
    const toUnit = { subject: { type: "unit", id: unit.body.id }, roleId: role.id };
    expect((await call("POST", "/access-grants", toUnit, key)).body.code).toBe("permission.escalation");
    await made("/access-grants", toUnit);
    const another = await aUser();
    const join = await call("PUT", `/units/${unit.body.id}/members/${another.id}`, {}, key);
    expect(join.body.code).toBe("permission.escalation");
    const limited = await aKeyOf(chief, { permissions: ["user:read"] });
    expect((await call("GET", `/organizations/${ours.id}`, undefined, limited)).body.code).toBe(
      "permission.denied",
    );
    await call("DELETE", `/delegations/${id}`);
    expect((await call("GET", `/organizations/${ours.id}`, undefined, key)).body.code).toBe(
      "permission.denied",
    );
  });

  it("reaches the users of an organization, and the one application", async () => {
    const [chief, member, stranger] = [await aUser(), await aUser(), await aUser()];
    const organization = await made("/organizations", { code: unique("org") });
    const application = await made("/applications", { slug: unique("app"), name: "App" });
    await call("PUT", `/units/${organization.rootUnitId}/members/${member.id}`, {});
    const subject = user(chief);
    const inOrganization = { type: "organization", id: organization.id };
    await made("/delegations", { subject, scope: inOrganization, permissions: ["user:*"] });
    const inApplication = { type: "application", id: application.id };
    await made("/delegations", { subject, scope: inApplication, permissions: ["application:write"] });
    const key = await aKeyOf(chief);
    const rename = (id: string) => call("PATCH", `/users/${id}`, { nickname: "New" }, key);
    expect((await rename(member.id)).status).toBe(200);
    expect((await rename(stranger.id)).body.code).toBe("permission.denied");
    expect((await call("GET", "/users", undefined, key)).body.code).toBe("permission.denied");
    await give(user(member), { resource: "settings", actions: ["write"] });
    const password = { password: { plain: "correct horse battery staple" } };
    const set = await call("PUT", `/users/${member.id}/password`, password, key);
    expect(set.body.code).toBe("permission.escalation");
    const change = (id: string) => call("PATCH", `/applications/${id}`, { name: "New" }, key);
    expect((await change(application.id)).status).toBe(200);
    const other = await made("/applications", { slug: unique("app"), name: "App" });
    expect((await change(other.id)).body.code).toBe("permission.denied");
  });

  it("of an application's namespace decides what its roles give", async () => {
    const [owner, someone] = [await aUser(), await aUser()];
    const application = await made("/applications", { slug: unique("app"), name: "App" });
    const scope = { type: "application", id: application.id };
    const permissions = ["role:write", "namespace:write", "access-grant:write", "access:check"];
    await made("/delegations", { subject: user(owner), scope, permissions });
    const key = await aKeyOf(owner);
    const wanted = { namespace: application.id, code: "clerk", permissions: ["order:refund"] };
    const role = await call("POST", "/roles", wanted, key);
    expect(role.status).toBe(201);
    expect((await call("POST", "/roles", { code: unique("r") }, key)).body.code).toBe("permission.denied");
    const given = await call("POST", "/access-grants", { subject: user(someone), roleId: role.body.id }, key);
    expect(given.status).toBe(201);
    const question = { subject: user(someone), action: "refund", resource: "order" };
    await expect.poll(() => verdictOf({ ...question, namespace: application.id }, key)).toBe(true);
    expect(await verdictOf(question, key)).toBe("permission.denied");
    const { body } = await call("GET", `/users/${someone.id}/permissions`);
    expect(body).toEqual({ roles: [`${application.id}/clerk`], permissions: [] });
  });
});
