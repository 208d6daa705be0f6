import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { BrowserContext, Page } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface AxeResults {
  violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[];
}

/** Puts axe-core into every page of the context as it is loaded: much cheaper than into each one afterwards. */
export async function withAxe(context: BrowserContext): Promise<BrowserContext> {
  await context.addInitScript(AXE);
  return context;
}

/** What axe-core finds in a page, and whether it is wider than the screen. */
export async function inspect(page: Page, { axe = true }: { axe?: boolean } = {}): Promise<string[]> {
  const overflow = (await page.evaluate(
    "document.documentElement.scrollWidth - document.documentElement.clientWidth",
  )) as number;
  const findings = axe ? await findByAxe(page) : [];
  return overflow > 0 ? [...findings, `wider than the screen by ${overflow} px`] : findings;
}

async function findByAxe(page: Page): Promise<string[]> {
  // Straight into the page's world: the policy forbids script elements of others, and shall.
  if (!(await page.evaluate("typeof axe === 'object'"))) await page.evaluate(AXE);
  const results = (await page.evaluate(
    `axe.run(document, { resultTypes: ["violations"], runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] } })`,
  )) as AxeResults;
  return results.violations.flatMap((violation) =>
    violation.nodes.map((node) => `${violation.id}: ${node.html} ${node.failureSummary ?? ""}`),
  );
}
