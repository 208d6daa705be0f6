import { readFile, writeFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { aDatabase } from "../../testing/a-database.ts";
import { migrate } from "./migrate.ts";
import { readSchema } from "./read-schema.ts";

const SCHEMA = new URL("./schema.sql", import.meta.url);

it("migrating from zero gives exactly schema.sql (`npm run schema` writes it)", async () => {
  await using test = await aDatabase();
  const schema = await readSchema(test.database);
  if (process.env["OSTIARY_WRITE_SCHEMA"]) await writeFile(SCHEMA, schema);
  expect(schema).toBe(await readFile(SCHEMA, "utf8"));
});

it("migrating again, and four processes at once, change nothing", async () => {
  await using test = await aDatabase();
  const before = await readSchema(test.database);
  const reports = await Promise.all([1, 2, 3, 4].map(() => migrate(test.connection)));
  expect(reports.flatMap((report) => report.applied)).toEqual([]);
  expect(await readSchema(test.database)).toBe(before);
});
