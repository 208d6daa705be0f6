import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { holding, refusal, refusals, type TwoTenants, twoTenants } from "../../testing/two-tenants.ts";
import { createAccessGrant, findPrincipal, listRoles } from "../access/index.ts";
import { addGroupMembers, createGroup, deleteGroup, removeGroupMembers } from "../groups/index.ts";
import { createUser, deleteUser, suspendUser, updateUser } from "../users/index.ts";
import {
  acceptInvitation,
  createInvitation,
  createOrganization,
  createUnit,
  deleteInvitation,
  deleteOrganization,
  deleteUnit,
  getUnit,
  listUnitMembers,
  listUnits,
  listUnitsOfUser,
  putUnitMember,
  removeUnitMember,
  updateOrganization,
  updateUnit,
} from "./index.ts";

let test: TwoTenants;
beforeAll(async () => {
  test = await twoTenants();
});
afterAll(() => test[Symbol.asyncDispose]());

let count = 0;
const unique = (prefix: string) => `${prefix}${++count}`;
const anOrganization = () => createOrganization(test.deps, test.context, { code: unique("org") });
const aUnit = (organizationId: string, parentId?: string) =>
  createUnit(test.deps, test.context, {
    organizationId,
    code: unique("unit"),
    ...(parentId ? { parentId } : {}),
  });
const administratorRole = async () => {
  const { items } = await listRoles(test.deps, test.context, { search: "administrator" });
  return items[0]?.id ?? "";
};

describe("a tree of units", () => {
  it("hangs on the organization, which is a unit itself, and knows its paths when units move", async () => {
    const { deps, context } = test;
    const { id, rootUnitId } = await anOrganization();
    const root = rootUnitId ?? "";
    const [a, b] = [await aUnit(id), await aUnit(id)];
    const below = await aUnit(id, a.id);
    expect(below.path).toEqual([root, a.id, below.id]);
    await updateUnit(deps, context, a.id, { parentId: b.id, names: { "zh-CN": "甲" } }, 1);
    expect((await getUnit(deps, context, below.id)).path).toEqual([root, b.id, a.id, below.id]);
    expect((await listUnits(deps, context, { parentId: b.id })).items.map((unit) => unit.id)).toEqual([a.id]);
    await deleteUnit(deps, context, b.id);
    expect((await listUnits(deps, context, { organizationId: id })).items).toHaveLength(1);
    const renamed = await updateOrganization(deps, context, id, { name: "Renamed" });
    expect((await getUnit(deps, context, renamed.rootUnitId ?? "")).name).toBe("Renamed");
  });

  it("has no circles, no strangers, one code each, and an end", async () => {
    const { deps, context, foreign } = test;
    const { id, rootUnitId } = await anOrganization();
    const other = await anOrganization();
    const unit = await aUnit(id);
    const below = await aUnit(id, unit.id);
    const move = (parentId: string) => refusal(updateUnit(deps, context, unit.id, { parentId }));
    expect(await move(unit.id)).toBe("unit.parent_invalid");
    expect(await move(below.id)).toBe("unit.parent_invalid");
    expect(await move(other.rootUnitId ?? "")).toBe("unit.parent_invalid");
    expect(await refusal(createUnit(deps, context, { organizationId: id, code: unit.code }))).toBe(
      "unit.code_taken",
    );
    expect(await refusal(deleteUnit(deps, context, rootUnitId ?? ""))).toBe("unit.root_protected");
    expect(await refusal(getUnit(deps, foreign, unit.id))).toBe("unit.not_found");
    expect(await refusal(updateUnit(deps, foreign, unit.id, { name: "x" }))).toBe("unit.not_found");
    let parentId = below.id;
    for (let depth = 4; depth <= 12; depth++) parentId = (await aUnit(id, parentId)).id;
    expect(await refusal(aUnit(id, parentId))).toBe("unit.too_deep");
  });

  it("stays one when many move at once", async () => {
    const { deps, context } = test;
    for (let round = 0; round < 5; round++) {
      const { id } = await anOrganization();
      const [a, b] = [await aUnit(id), await aUnit(id)];
      const outcomes = await refusals([
        updateUnit(deps, context, a.id, { parentId: b.id }),
        updateUnit(deps, context, b.id, { parentId: a.id }),
      ]);
      expect(outcomes.sort()).toEqual(["fulfilled", "unit.parent_invalid"]);
      expect((await listUnits(deps, context, { organizationId: id })).items).toHaveLength(3);
    }
  });
});

describe("members", () => {
  it("have a position, and one main unit", async () => {
    const { deps, context, foreign } = test;
    const { id } = await anOrganization();
    const [a, b] = [await aUnit(id), await aUnit(id)];
    const userId = await test.aUser(unique("user"));
    await putUnitMember(deps, context, a.id, userId, { main: true, position: "Head" });
    await Promise.all([
      putUnitMember(deps, context, b.id, userId, { main: true }),
      putUnitMember(deps, context, a.id, userId, { main: true, position: "Chief" }),
    ]);
    const units = await listUnitsOfUser(deps, context, userId);
    expect(units.filter(({ main }) => main)).toHaveLength(1);
    expect(units.find(({ unitId }) => unitId === a.id)?.position).toBe("Chief");
    await removeUnitMember(deps, context, a.id, userId);
    expect(await refusal(removeUnitMember(deps, context, a.id, userId))).toBe("member.not_found");
    expect((await listUnitMembers(deps, context, a.id, {})).items).toEqual([]);
    expect(await refusal(putUnitMember(deps, foreign, a.id, userId, {}))).toBe("unit.not_found");
    await deleteUser(deps, context, userId);
    expect(await listUnitsOfUser(deps, context, userId)).toEqual([]);
    expect(await refusal(putUnitMember(deps, context, b.id, userId, {}))).toBe("user.not_found");
  });

  it("are made by whom has what the unit gives", async () => {
    const { deps, context } = test;
    const { id, rootUnitId } = await anOrganization();
    const unit = await aUnit(id);
    const subject = { type: "unit", id: rootUnitId ?? "" } as const;
    await createAccessGrant(deps, context, {
      subject,
      resource: "user",
      actions: ["write"],
      inherit: true,
    });
    const clerk = holding(context, ["organization:*"]);
    const userId = await test.aUser(unique("user"));
    expect(await refusal(putUnitMember(deps, clerk, unit.id, userId, {}))).toBe("permission.escalation");
    expect(await refusal(createInvitation(deps, clerk, { unitId: unit.id }))).toBe("permission.escalation");
    expect(await refusal(deleteOrganization(deps, clerk, id))).toBe("permission.escalation");
    await putUnitMember(deps, context, unit.id, userId, {});
    const principal = await findPrincipal(deps, context.tenantId, userId);
    expect(principal?.permissionCodes).toEqual(["user:write"]);
    expect(
      await refusal(updateUser(deps, holding(context, ["user:write"]), userId, { username: unique("u") })),
    ).toBe("fulfilled");
    const helper = holding(context, ["user:read", "organization:*"]);
    expect(await refusal(removeUnitMember(deps, helper, unit.id, userId))).toBe("permission.escalation");
  });
});

describe("an invitation", () => {
  const accept = (token: string | null, userId: string) =>
    acceptInvitation(test.deps, { ...test.context, actor: { type: "user", id: userId } }, token ?? "");

  it("lets one of eight in, once", async () => {
    const { deps, context } = test;
    const { rootUnitId } = await anOrganization();
    const unitId = rootUnitId ?? "";
    const { token } = await createInvitation(deps, context, { unitId, position: "Guest" });
    const users = await Promise.all(Array.from({ length: 8 }, () => test.aUser(unique("user"))));
    const outcomes = await Promise.all(users.map((user) => refusal(accept(token, user))));
    expect(outcomes.filter((outcome) => outcome === "fulfilled")).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === "invitation.refused")).toHaveLength(7);
    const { items } = await listUnitMembers(deps, context, unitId, {});
    expect(items).toMatchObject([{ position: "Guest", main: false }]);
  });

  it("is refused in one way, whatever is wrong", async () => {
    const { deps, context, clock } = test;
    const { rootUnitId } = await anOrganization();
    const unitId = rootUnitId ?? "";
    const userId = await test.aUser(unique("user"));
    expect(await refusal(accept("x".repeat(43), userId))).toBe("invitation.refused");
    const bound = await createInvitation(deps, context, { unitId, email: "ann@example.com" });
    expect(await refusal(accept(bound.token, userId))).toBe("invitation.refused");
    await updateUser(deps, context, userId, { email: "Ann@example.com", emailVerified: false });
    expect(await refusal(accept(bound.token, userId))).toBe("invitation.refused");
    await updateUser(deps, context, userId, { emailVerified: true });
    expect(await refusal(accept(bound.token, userId))).toBe("fulfilled");
    const taken = await createInvitation(deps, context, { unitId });
    await deleteInvitation(deps, context, taken.id);
    expect(await refusal(accept(taken.token, userId))).toBe("invitation.refused");
    const short = await createInvitation(deps, context, { unitId, expiresInSeconds: 60 });
    clock.advance(61);
    expect(await refusal(accept(short.token, userId))).toBe("invitation.refused");
    expect(await refusal(acceptInvitation(deps, context, short.token ?? ""))).toBe("authentication.required");
  });
});

describe("the last active administrator", () => {
  it("may be one by way of a group or of a unit above, and cannot be removed by any way", async () => {
    const { deps, foreign: context } = test;
    const roleOf = async () => {
      const { items } = await listRoles(deps, context, { search: "administrator" });
      return items[0]?.id ?? "";
    };
    const { id: userId } = await createUser(deps, context, { username: "root" });
    const group = await createGroup(deps, context, { code: "admins" });
    const roleId = await roleOf();
    const grant = { subject: { type: "group", id: group.id } as const, roleId };
    await createAccessGrant(deps, context, grant);
    await addGroupMembers(deps, context, group.id, [userId]);
    const last = "user.last_administrator";
    expect(await refusal(suspendUser(deps, context, userId))).toBe(last);
    expect(await refusal(removeGroupMembers(deps, context, group.id, [userId]))).toBe(last);
    expect(await refusal(deleteGroup(deps, context, group.id))).toBe(last);
    const organization = await createOrganization(deps, context, { code: "org" });
    const unit = await createUnit(deps, context, { organizationId: organization.id, code: "a" });
    const subject = { type: "unit", id: organization.rootUnitId ?? "" } as const;
    await createAccessGrant(deps, context, { subject, roleId, inherit: true });
    await putUnitMember(deps, context, unit.id, userId, {});
    const outcomes = await Promise.all([
      refusal(deleteGroup(deps, context, group.id)),
      refusal(deleteUnit(deps, context, unit.id)),
    ]);
    expect(outcomes.sort()).toEqual(["fulfilled", last]);
    expect(await refusal(deleteUser(deps, context, userId))).toBe(last);
  });

  it("is not made by whom is none", async () => {
    const { deps, context } = test;
    const clerk = holding(context, ["access-grant:*", "group:*"]);
    const group = await createGroup(deps, context, { code: unique("group") });
    const grant = { subject: { type: "group", id: group.id } as const, roleId: await administratorRole() };
    expect(await refusal(createAccessGrant(deps, clerk, grant))).toBe("permission.escalation");
    await createAccessGrant(deps, context, grant);
    const userId = await test.aUser(unique("user"));
    expect(await refusal(addGroupMembers(deps, clerk, group.id, [userId]))).toBe("permission.escalation");
    expect(await refusal(deleteGroup(deps, clerk, group.id))).toBe("permission.escalation");
  });
});
