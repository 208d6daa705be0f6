import { existsSync } from "node:fs";
import { type DjangoData, fromTables, type Row, type Tables } from "./django-data.ts";

const TABLES: Record<keyof Tables, string> = {
  users: "select * from auth_user order by id",
  groups: "select * from auth_group order by id",
  permissions:
    "select p.id, p.codename, t.app_label as app from auth_permission p join django_content_type t on t.id = p.content_type_id",
  userGroups: "select user_id, group_id from auth_user_groups",
  userPermissions: "select user_id, permission_id from auth_user_user_permissions",
  groupPermissions: "select group_id, permission_id from auth_group_permissions",
  profiles: "select * from zb_auth_user_profile",
  levels: "select * from zb_auth_group_level",
};

/** Of zibanu-django-auth: a project may be without them. */
const OPTIONAL: readonly (keyof Tables)[] = ["profiles", "levels"];

/** Whether this is the address of a database or a file of SQLite, and not a dump. */
export function isDatabase(source: string): boolean {
  return /^(postgres(ql)?|sqlite):/.test(source) || /\.(sqlite3?|db)$/.test(source);
}

/** Reads a Django project's own database, and changes nothing in it. */
export async function readDatabase(source: string): Promise<DjangoData> {
  const reader = /^postgres/.test(source) ? await openPostgres(source) : await openSqlite(source);
  try {
    const tables = {} as Tables;
    for (const name of Object.keys(TABLES) as (keyof Tables)[]) {
      tables[name] = await reader.read(TABLES[name]).catch((error: unknown) => {
        if (OPTIONAL.includes(name) && /no such table|does not exist/.test(String(error))) return [];
        throw error;
      });
    }
    return fromTables(tables);
  } finally {
    await reader.close();
  }
}

interface Reader {
  read(text: string): Promise<Row[]>;
  close(): Promise<void>;
}

async function openPostgres(address: string): Promise<Reader> {
  const { default: pg } = await import("pg");
  const client = new pg.Client({ connectionString: address });
  await client.connect();
  await client.query("set default_transaction_read_only = on");
  return {
    read: async (text) => (await client.query<Record<string, unknown>>(text)).rows,
    close: () => client.end(),
  };
}

async function openSqlite(source: string): Promise<Reader> {
  const file = source.replace(/^sqlite:(\/\/)?/, "");
  if (!existsSync(file)) throw new Error("there is no such file");
  const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(file, { readOnly: true });
  return {
    read: async (text) => database.prepare(text).all() as Row[],
    close: async () => database.close(),
  };
}
