import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";

const ROOT = dirname(import.meta.dirname);
const CRUISER = join(ROOT, "node_modules/dependency-cruiser/bin/dependency-cruise.mjs");
const S = "packages/server/src";

/** A small tree in the shape of ours which keeps to every wall. */
const CLEAN: Record<string, string> = {
  "tsconfig.json": JSON.stringify({
    compilerOptions: { module: "nodenext", allowImportingTsExtensions: true },
  }),
  "node_modules/fastify/package.json": JSON.stringify({ name: "fastify", main: "fastify.js" }),
  "node_modules/fastify/fastify.js": "",
  "node_modules/pg/package.json": JSON.stringify({ name: "pg", main: "index.js" }),
  "node_modules/pg/index.js": "",
  "packages/contracts/package.json": JSON.stringify({
    name: "@ostiary/contracts",
    type: "module",
    exports: { ".": { "ostiary-source": "./src/index.ts", default: "./dist/index.js" } },
  }),
  "packages/contracts/src/index.ts": "export * from './errors.ts';",
  "packages/contracts/src/errors.ts": "export const ERRORS = {};",
  "packages/cli/src/main.ts": "import '../../server/src/index.ts'; import '@ostiary/contracts';",
  "packages/sdk/src/blueking/index.ts": "export * from './user-id.ts'; import '@ostiary/contracts';",
  "packages/sdk/src/blueking/user-id.ts": "export const encode = 1;",
  [`${S}/index.ts`]: "export * from './compose.ts';",
  [`${S}/compose.ts`]:
    "import 'fastify'; import './api/users.routes.ts'; import './domain/users/index.ts'; import './jobs/expire.ts';",
  [`${S}/kernel/clock.ts`]: "export const clock = 1;",
  [`${S}/platform/database/types.ts`]: "export type Database = object;",
  [`${S}/platform/database/pool.ts`]: "import 'pg'; import '../../kernel/clock.ts'; export const pool = 1;",
  [`${S}/platform/http/server.ts`]: "import 'fastify'; import '@ostiary/contracts'; export const server = 1;",
  [`${S}/domain/users/index.ts`]: "export * from './create-user.ts';",
  [`${S}/domain/users/create-user.ts`]:
    "import '../../platform/database/types.ts'; import './user.store.ts'; import '../roles/index.ts';",
  [`${S}/domain/users/user.store.ts`]: "import '../../platform/database/pool.ts'; export const find = 1;",
  [`${S}/domain/users/create-user.test.ts`]:
    "import '../roles/assign-role.ts'; import '../../testing/database.ts';",
  [`${S}/domain/roles/index.ts`]: "export * from './assign-role.ts';",
  [`${S}/domain/roles/assign-role.ts`]: "import '../../kernel/clock.ts'; export const assign = 1;",
  [`${S}/testing/database.ts`]: "import 'pg'; import '../platform/database/pool.ts';",
  [`${S}/api/users.routes.ts`]:
    "import 'fastify'; import '../domain/users/index.ts'; import '../platform/http/server.ts';",
  [`${S}/pages/sign-in.page.ts`]: "export const page = 1;",
  [`${S}/protocols/oidc/token.ts`]: "import '../../domain/users/index.ts';",
  [`${S}/protocols/saml/login.ts`]: "export const login = 1;",
  [`${S}/dialects/huace/routes.ts`]: "import '../../domain/users/index.ts'; import './translate.ts';",
  [`${S}/dialects/huace/translate.ts`]: "export const translate = 1;",
  [`${S}/dialects/zibanu/routes.ts`]: "export const routes = 1;",
  [`${S}/jobs/expire.ts`]: "import '../domain/users/index.ts'; import '../platform/database/pool.ts';",
};

/** Each plants one import: [who, whom, the rule that has to report it]. */
const BREACHES: [string, string, string][] = [
  [`${S}/kernel/a.ts`, "../platform/database/types.ts", "layer kernel/"],
  [`${S}/kernel/b.ts`, "../domain/users/index.ts", "layer kernel/"],
  [`${S}/platform/http/a.ts`, "../../domain/users/index.ts", "layer platform/"],
  [`${S}/domain/users/a.ts`, "../../api/users.routes.ts", "layer domain/"],
  [`${S}/domain/users/b.ts`, "../../platform/http/server.ts", "layer domain/"],
  [`${S}/domain/users/c.ts`, "../roles/assign-role.ts", "modules-meet-at-index"],
  [`${S}/domain/users/d.ts`, "../../platform/database/pool.ts", "only-stores-touch-the-database"],
  [`${S}/domain/users/e.ts`, "pg", "only-the-database-knows-pg"],
  [`${S}/domain/users/f.ts`, "fastify", "only-the-edge-knows-http"],
  [`${S}/main.ts`, "./testing/database.ts", "no-tests-in-the-product"],
  [`${S}/domain/users/h.ts`, "./nowhere.ts", "no-unresolved"],
  [`${S}/domain/users/i.ts`, "no-such-package", "no-unresolved"],
  [`${S}/jobs/a.ts`, "../api/users.routes.ts", "layer jobs/"],
  [`${S}/api/a.ts`, "../domain/users/create-user.ts", "modules-meet-at-index"],
  [`${S}/api/b.ts`, "../platform/database/pool.ts", "layer (api|pages)/"],
  [`${S}/api/c.ts`, "../pages/sign-in.page.ts", "layer (api|pages)/"],
  [`${S}/pages/a.ts`, "../protocols/oidc/token.ts", "layer (api|pages)/"],
  [`${S}/protocols/oidc/a.ts`, "../saml/login.ts", "layer (protocols|dialects)/([^/]+)/"],
  [`${S}/dialects/huace/a.ts`, "../zibanu/routes.ts", "layer (protocols|dialects)/([^/]+)/"],
  [`${S}/dialects/huace/b.ts`, "../../protocols/oidc/token.ts", "layer (protocols|dialects)/([^/]+)/"],
  [`${S}/dialects/huace/c.ts`, "../../platform/database/pool.ts", "layer (protocols|dialects)/([^/]+)/"],
  ["packages/contracts/src/a.ts", "../../server/src/kernel/clock.ts", "layer contracts/"],
  ["packages/cli/src/a.ts", "../../server/src/domain/users/index.ts", "layer cli/"],
  ["packages/sdk/src/a.ts", "../../server/src/index.ts", "layer sdk/"],
  ["packages/sdk/src/zibanu/a.ts", "node:crypto", "browsers-have-no-node"],
  [`${S}/api/d.ts`, "../../../sdk/src/blueking/index.ts", "layer (api|pages)/"],
  [`${S}/domain/roles/cycle-a.ts`, "./cycle-b.ts", "no-cycles"],
];

interface Report {
  summary: { violations: { from: string; to: string; rule: { name: string } }[] };
}

/** Runs the real configuration over a tree in a folder of its own. */
function violationsIn(files: Record<string, string>): Report["summary"]["violations"] {
  const folder = mkdtempSync(join(tmpdir(), "ostiary-walls-"));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    mkdirSync(join(folder, "node_modules/@ostiary"));
    symlinkSync("../../packages/contracts", join(folder, "node_modules/@ostiary/contracts"));
    copyFileSync(join(ROOT, ".dependency-cruiser.cjs"), join(folder, ".dependency-cruiser.cjs"));
    const args = [CRUISER, "--config", ".dependency-cruiser.cjs", "--output-type", "json", "packages"];
    const { stdout } = spawnSync(process.execPath, args, {
      cwd: folder,
      encoding: "utf8",
      maxBuffer: 1 << 26,
    });
    return (JSON.parse(stdout) as Report).summary.violations;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

it("reports nothing in a tree that keeps to the walls", () => {
  expect(violationsIn(CLEAN)).toEqual([]);
});

it("reports every planted breach, by the rule that forbids it, and nothing else", () => {
  const planted = Object.fromEntries(BREACHES.map(([who, whom]) => [who, `import "${whom}"; export {};`]));
  const otherHalf = { [`${S}/domain/roles/cycle-b.ts`]: "import './cycle-a.ts'; export {};" };
  const found = violationsIn({ ...CLEAN, ...planted, ...otherHalf }).map(
    ({ from, rule }) => `${from}: ${rule.name}`,
  );
  expect([...new Set(found)].sort()).toEqual(BREACHES.map(([who, , rule]) => `${who}: ${rule}`).sort());
});
