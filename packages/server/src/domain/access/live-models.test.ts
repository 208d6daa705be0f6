import { afterAll, beforeAll, expect, it } from "vitest";
import { type TwoTenants, twoTenants } from "../../testing/two-tenants.ts";
import { addGroupMembers, createGroup, deleteGroup, removeGroupMembers } from "../groups/index.ts";
import {
  createOrganization,
  createUnit,
  deleteUnit,
  putUnitMember,
  removeUnitMember,
  updateUnit,
} from "../organizations/index.ts";
import { activateUser, suspendUser } from "../users/index.ts";
import { AccessEngine, type SubjectRef } from "./engine/index.ts";
import {
  createAccessGrant,
  createNamespace,
  createPolicy,
  createResource,
  createRole,
  deleteAccessGrant,
  deleteNamespace,
  deletePolicy,
  deleteResource,
  deleteRole,
  updateAccessGrant,
  updatePolicy,
  updateResource,
  updateRole,
} from "./index.ts";
import { liveModels } from "./live-models.ts";
import { readModel } from "./model.store.ts";

let test: TwoTenants;
beforeAll(async () => {
  test = await twoTenants();
});
afterAll(() => test[Symbol.asyncDispose]());

/** All that the engine says about these subjects. */
function said(engine: AccessEngine, subjects: readonly SubjectRef[]) {
  return subjects.map((subject) => ({
    subject,
    identity: JSON.stringify(engine.identity(subject), sorted),
    lists: ["default", "shop"].map((namespace) => engine.list({ subject, namespace })),
    checked: engine.check({ subject, action: "read", resource: "books:1", namespace: "default" }),
  }));
}

/** Ways may be found in another order. */
function sorted(_key: string, value: unknown): unknown {
  return Array.isArray(value) ? value.map((item) => JSON.stringify(item)).sort() : value;
}

it("a model kept right by notices says what one read from the database says, after every change", {
  timeout: 60_000,
}, async () => {
  const { deps, context, database } = test;
  const { tenantId } = context;
  const models = liveModels(deps);
  await models.load(tenantId);
  const users = await Promise.all(["ann", "ben"].map((name) => test.aUser(name)));
  const [ann = "", ben = ""] = users;
  const role = await createRole(deps, context, { code: "reader", permissions: ["books:1:read"] });
  const child = await createRole(deps, context, { code: "clerk", parentId: role.id, permissions: ["a:b"] });
  const group = await createGroup(deps, context, { code: "staff" });
  const shop = await createNamespace(deps, context, { code: "shop" });
  const organization = await createOrganization(deps, context, { code: "org" });
  const root = organization.rootUnitId ?? "";
  const organizationId = organization.id;
  const [a, b] = [
    await createUnit(deps, context, { organizationId, code: "a" }),
    await createUnit(deps, context, { organizationId, code: "b" }),
  ];
  const statements = [{ resources: ["books:*"], actions: ["read"], effect: "allow" as const }];
  const policy = await createPolicy(deps, context, { code: "p", statements });
  const resource = await createResource(deps, context, { code: "books", type: "MENU" });
  const inShop = await createRole(deps, context, { namespace: "shop", code: "x", permissions: ["o:p"] });
  const subjects: SubjectRef[] = [
    ...users.map((id) => ({ type: "user" as const, id })),
    { type: "group", id: group.id },
    ...[root, a.id, b.id].map((id) => ({ type: "unit" as const, id })),
    ...[role.id, child.id, inShop.id].map((id) => ({ type: "role" as const, id })),
  ];
  const give = (subject: SubjectRef, what: object) =>
    createAccessGrant(deps, context, { subject: { ...subject }, ...what });
  const toGroup = await give({ type: "group", id: group.id }, { roleId: child.id });
  const toRoot = await give({ type: "unit", id: root }, { policyId: policy.id, inherit: true });
  const changes: (() => Promise<unknown>)[] = [
    () => addGroupMembers(deps, context, group.id, [ann, ben]),
    () => putUnitMember(deps, context, a.id, ann, { main: true }),
    () => give({ type: "user", id: ben }, { roleId: inShop.id }),
    () => updateUnit(deps, context, a.id, { parentId: b.id }),
    () => give({ type: "role", id: role.id }, { resource: "films", actions: ["see"] }),
    () => updateResource(deps, context, resource.id, { code: "films" }),
    () => updateRole(deps, context, child.id, { permissions: ["c:d"] }),
    () => updateAccessGrant(deps, context, toRoot.id, { inherit: false }),
    () => updateAccessGrant(deps, context, toRoot.id, { inherit: true }),
    () => updatePolicy(deps, context, policy.id, { statements: [] }),
    () => suspendUser(deps, context, ann),
    () => activateUser(deps, context, ann),
    () => updateAccessGrant(deps, context, toGroup.id, { enabled: false }),
    () => updateAccessGrant(deps, context, toGroup.id, { enabled: true }),
    () => removeGroupMembers(deps, context, group.id, [ben]),
    () => updateRole(deps, context, child.id, { parentId: null }),
    () => deletePolicy(deps, context, policy.id),
    () => deleteResource(deps, context, resource.id),
    () => deleteNamespace(deps, context, shop.id),
    () => deleteAccessGrant(deps, context, toGroup.id),
    () => removeUnitMember(deps, context, a.id, ann),
    () => deleteUnit(deps, context, b.id),
    () => deleteRole(deps, context, role.id),
    () => deleteGroup(deps, context, group.id),
  ];
  for (const [index, change] of changes.entries()) {
    await change();
    const fresh = new AccessEngine();
    await readModel(database, tenantId, async (part) => fresh.add(part));
    await expect
      .poll(async () => said(await models.get(tenantId), subjects), {
        timeout: 1_000,
        interval: 10,
        message: `change ${index}`,
      })
      .toEqual(said(fresh, subjects));
  }
  expect(models.peek(tenantId)).toBeDefined();
});

it("a model is dropped when notices may have been missed, and kept by nobody while they do not arrive", async () => {
  const { deps, context } = test;
  const models = liveModels(deps);
  await models.load(context.tenantId);
  expect(models.peek(context.tenantId)).toBeDefined();
  deps.feed.setLive(false);
  expect(models.peek(context.tenantId)).toBeUndefined();
  await models.load(context.tenantId);
  expect(models.peek(context.tenantId)).toBeUndefined();
  deps.feed.setLive(true);
});
