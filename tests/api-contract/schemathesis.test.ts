import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
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

/**
 * May be refused throughout. 401 is also what they say of a wrong secret, password or token in the body, and guessing
 * finds no right ones. 403 is what a sign-in without our pages says of an application that is not set up for it.
 * And what takes no input is asked once or twice, which may be just after the person has signed out everywhere.
 */
const ONLY_REFUSED = [
  "beginMyPasskey",
  "changePassword",
  "compareIdentity",
  "registerMyPasskey",
  "signIn",
  "startSignIn",
];

let server: TestServer;

beforeAll(async () => {
  if (!PYTHON_MISSING) server = await aServer({ listen: true });
});
afterAll(() => server?.[Symbol.asyncDispose]());

interface Outcome {
  exitCode: number | null;
  output: string;
  /** Status codes by operation. */
  answers: Record<string, number[]>;
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
      OSTIARY_ANSWERS: join(scratch, "answers.json"),
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
      const file = join(scratch, "answers.json");
      const answers = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
      rmSync(scratch, { recursive: true, force: true });
      resolve({ exitCode, output, answers });
    });
  });
}

describe.skipIf(PYTHON_MISSING)("the OpenAPI document of API v1", () => {
  it(
    "is what the server does, whatever schemathesis sends",
    async () => {
      const { exitCode, output, answers } = await runSchemathesis();
      expect(exitCode, output).toBe(0);
      // A worker of it that breaks down leaves operations untried, and the exit code alone does not tell.
      expect(output).not.toContain("Exception in thread");
      const refused = Object.keys(answers).filter((id) =>
        answers[id]?.every((status) => [401, 403].includes(status)),
      );
      expect(refused.filter((id) => !ONLY_REFUSED.includes(id))).toEqual([]);
    },
    INSTALL_TIMEOUT + BUDGET * 3_000,
  );
});
