import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aServer, type TestServer } from "../../packages/server/src/testing/a-server.ts";
import { INSTALL_TIMEOUT, PYTHON_MISSING, pythonWith } from "../python/environment.ts";

const FULL = process.env.OSTIARY_FULL_TESTS === "1";
/** Seconds of trying; `npm run test:full` looks longer, and elsewhere each time. */
const BUDGET = FULL ? 900 : 100;

/**
 * Of all that schemathesis can check. Left out: `positive_data_acceptance` (a request that fits the schema may still
 * be refused by a rule, e.g. a name that is taken).
 */
const CHECKS = [
  "not_a_server_error",
  "status_code_conformance",
  "content_type_conformance",
  "response_schema_conformance",
  "response_headers_conformance",
  "negative_data_rejection",
  "unsupported_method",
  "allow_header_conformance",
  "use_after_free",
  "ignored_auth",
];

let server: TestServer;

beforeAll(async () => {
  if (!PYTHON_MISSING) server = await aServer({ listen: true });
});
afterAll(() => server?.[Symbol.asyncDispose]());

interface Outcome {
  exitCode: number | null;
  output: string;
}

async function runSchemathesis(): Promise<Outcome> {
  const python = await pythonWith("schemathesis", "schemathesis==4.32.5");
  const scratch = mkdtempSync(join(tmpdir(), "ostiary-schemathesis-")); // it writes reports where it stands
  const args = [
    "-m",
    "schemathesis.cli",
    `--config-file=${join(import.meta.dirname, "schemathesis.toml")}`,
    "run",
    `${server.url}/api/v1/openapi.json`,
    `--checks=${CHECKS.join(",")}`,
    `--max-time=${BUDGET}`,
    "--continue-on-failure",
    "--generation-database=none",
    "--no-color",
    ...(FULL ? [] : ["--seed=1"]),
  ];
  return new Promise((resolve, reject) => {
    const env = {
      ...process.env,
      NO_PROXY: "*",
      PYTHONPATH: import.meta.dirname,
      OSTIARY_API: `${server.url}/api/v1`,
      OSTIARY_OPERATOR: server.operator,
    };
    const child = spawn(python, args, { env, cwd: scratch });
    let output = "";
    const keep = (chunk: Buffer) => {
      output += chunk;
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.once("error", reject);
    child.once("close", (exitCode) => {
      rmSync(scratch, { recursive: true, force: true });
      resolve({ exitCode, output });
    });
  });
}

describe.skipIf(PYTHON_MISSING)("the OpenAPI document of API v1", () => {
  it(
    "is what the server does, whatever schemathesis sends",
    async () => {
      const { exitCode, output } = await runSchemathesis();
      expect(exitCode, output).toBe(0);
    },
    INSTALL_TIMEOUT + BUDGET * 3_000,
  );
});
