import { afterAll, beforeAll, expect, it } from "vitest";
import { aDatabase, type TestDatabase } from "../../../server/src/testing/a-database.ts";
import { readDatabase } from "./django-database.ts";

let test: TestDatabase;
beforeAll(async () => {
  test = await aDatabase();
});
afterAll(() => test[Symbol.asyncDispose]());

it("reads a project from PostgreSQL, also one without Zibanu's tables", async () => {
  for (const statement of [
    "create table django_content_type (id int, app_label text, model text)",
    "create table auth_permission (id int, content_type_id int, codename text)",
    "create table auth_group (id int, name text)",
    "create table auth_user (id int, username text, email text, first_name text, last_name text, password text, is_active bool, is_staff bool, is_superuser bool)",
    "create table auth_user_groups (user_id int, group_id int)",
    "create table auth_user_user_permissions (user_id int, permission_id int)",
    "create table auth_group_permissions (group_id int, permission_id int)",
    "insert into django_content_type values (1, 'shop', 'order')",
    "insert into auth_permission values (1, 1, 'add_order')",
    "insert into auth_group values (3, 'Clerks')",
    "insert into auth_user values (5, 'ann', 'ann@example.com', 'Ann', '', 'hash', true, true, false)",
    "insert into auth_user_groups values (5, 3)",
    "insert into auth_group_permissions values (3, 1)",
  ]) {
    await test.database.query(statement);
  }
  const { host, port, user, database } = test.connection;
  const address = `postgres://${user}@/${database}?host=${encodeURIComponent(host)}&port=${port}`;
  expect(await readDatabase(address)).toEqual({
    users: [
      {
        id: 5,
        username: "ann",
        email: "ann@example.com",
        firstName: "Ann",
        lastName: "",
        password: "hash",
        isActive: true,
        isStaff: true,
        isSuperuser: false,
        groups: [3],
        permissions: [],
        profile: null,
        row: expect.objectContaining({ id: 5, username: "ann" }),
      },
    ],
    groups: [{ id: 3, name: "Clerks", level: null, permissions: ["shop.add_order"] }],
  });
});
