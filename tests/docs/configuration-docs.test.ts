import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { configurationReference } from "./configuration-reference.ts";

const PAGE = join(import.meta.dirname, "../../docs/configuration.md");

it("docs/configuration.md names every setting and field as they are (OSTIARY_WRITE_DOCS=1 writes it)", async () => {
  let page = await readFile(PAGE, "utf8");
  const before = page;
  for (const [name, text] of Object.entries(configurationReference())) {
    const part = new RegExp(`(<!-- generated: ${name} -->\n)[\\s\\S]*?(<!-- end -->)`);
    expect(page, name).toMatch(part);
    page = page.replace(part, (_whole, begin: string, end: string) => `${begin}\n${text}\n\n${end}`);
  }
  if (process.env["OSTIARY_WRITE_DOCS"]) await writeFile(PAGE, page);
  else expect(page).toBe(before);
});
