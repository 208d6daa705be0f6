// The walls of ARCHITECTURE.md: who may import whom. scripts/walls.test.ts plants a breach of every kind.
const S = "^packages/server/src";
const C = "^packages/contracts/src/";
const CORE = `${S}/(domain|kernel)/`;
const TESTS = "\\.test\\.ts$|/testing/";

/** [folder, what it may import of our own code …]. `$1` and `$2` are what the folder's groups matched. */
const MAY_IMPORT = [
  [`${S}/kernel/`, `${S}/kernel/`, C],
  [`${S}/platform/`, `${S}/(platform|kernel)/`, C],
  [`${S}/domain/`, CORE, `${S}/platform/database/`, C],
  [`${S}/jobs/`, `${S}/jobs/`, CORE, `${S}/platform/`, C],
  [`${S}/(api|pages)/`, `${S}/$1/`, CORE, `${S}/platform/http/`, C],
  [`${S}/(protocols|dialects)/([^/]+)/`, `${S}/$1/$2/`, CORE, `${S}/platform/http/`, C],
  ["^packages/contracts/", C],
  ["^packages/cli/", "^packages/cli/", `${S}/index\\.ts$`, C],
  ["^packages/sdk/", "^packages/sdk/", C],
];

/** Every rule leaves tests and the helpers of tests alone. */
const rule = (name, from, to) => ({
  name,
  severity: "error",
  from: { ...from, pathNot: [TESTS, ...(from.pathNot ?? [])] },
  to,
});

module.exports = {
  forbidden: [
    ...MAY_IMPORT.map(([path, ...may]) =>
      rule(
        `layer ${path.replace(`${S}/`, "").replace("^packages/", "")}`,
        { path },
        { path: "^packages/", pathNot: may },
      ),
    ),
    rule(
      "modules-meet-at-index",
      { path: `${S}/(?:domain/([^/]+)/|(?!domain/))` },
      { path: `${S}/domain/[^/]+/(?!index\\.ts$)`, pathNot: `${S}/domain/$1/` },
    ),
    rule(
      "only-stores-touch-the-database",
      { path: `${S}/domain/`, pathNot: ["\\.store\\.ts$"] },
      { path: `${S}/platform/database/(?!types)` },
    ),
    rule(
      "only-the-edge-knows-http",
      {
        path: S,
        pathNot: [`${S}/(platform/(http|telemetry)|api|pages|protocols|dialects)/`, `${S}/compose\\.ts$`],
      },
      { path: "node_modules/(fastify|@fastify)/" },
    ),
    rule(
      "only-the-database-knows-pg",
      { path: S, pathNot: [`${S}/platform/database/`, "\\.store\\.ts$"] },
      { path: "node_modules/(@types/)?pg/" },
    ),
    rule("browsers-have-no-node", { path: "^packages/sdk/src/zibanu/" }, { dependencyTypes: ["core"] }),
    rule("no-tests-in-the-product", {}, { path: TESTS }),
    rule("no-unresolved", {}, { couldNotResolve: true }), // an import it cannot resolve would pass every other rule
    rule("no-cycles", {}, { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } }),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
    exclude: { path: "/dist/" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["ostiary-source", "import", "types", "default"],
    },
  },
};
