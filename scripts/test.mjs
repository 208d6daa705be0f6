/**
 * `npm test [-- arguments for vitest]`: sets up, builds, checks and runs every test. `--full` adds the long ones.
 * Programs that only some tests need are installed where that is possible without asking (root on Debian); elsewhere
 * it says what is skipped and how to get it.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.mjs";
import { check } from "./check.mjs";
import { become, capture, main, nodeProgram, ROOT, say, step, toolEnvironment } from "./lib/run.mjs";
import { setUp } from "./set-up.mjs";

/** Each with its Debian packages, the tests that need it, and how to see whether it is there. */
const PROGRAMS = [
  {
    name: "chromium",
    packages: ["chromium", "fonts-noto-cjk"],
    needed: "the journeys in a real browser",
    isThere: () =>
      ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].some((path) =>
        existsSync(path),
      ),
  },
  {
    name: "python3-venv",
    packages: ["python3-venv"],
    needed: "the vendors' Python clients",
    isThere: () => spawnSync("python3", ["-c", "import venv, ensurepip"], { stdio: "ignore" }).status === 0,
  },
];

async function installMissing() {
  const missing = PROGRAMS.filter((program) => !program.isThere());
  if (missing.length > 0 && process.getuid?.() === 0 && isDebian()) {
    const packages = missing.flatMap((program) => program.packages);
    await step(`installed ${packages.join(" ")} with apt-get`, () => aptInstall(packages));
  }
  return PROGRAMS.filter((program) => !program.isThere());
}

function isDebian() {
  const path = "/etc/os-release";
  return existsSync(path) && /^ID(_LIKE)?=.*debian/m.test(readFileSync(path, "utf8"));
}

async function aptInstall(packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  say(`installing ${packages.join(" ")} …`);
  for (const args of [
    ["update", "-q"],
    ["install", "-qy", "--no-install-recommends", ...packages],
  ]) {
    const { code, output } = await capture("apt-get", args, { env });
    if (code !== 0) say(`apt-get ${args[0]} failed: ${output.trim().split("\n").slice(-3).join(" | ")}`);
  }
}

async function runTests(args, skipped, full) {
  const env = toolEnvironment({
    OSTIARY_SKIPPED: skipped.map(({ name }) => name).join(","),
    ...(full ? { OSTIARY_FULL_TESTS: "1" } : {}),
  });
  return become(nodeProgram(), [join(ROOT, "node_modules/vitest/vitest.mjs"), "run", ...args], env);
}

await main(import.meta.url, async (args) => {
  const began = performance.now();
  const full = args.includes("--full");
  await setUp();
  await build();
  const skipped = await installMissing();
  const failed = await check();
  const testsFailed =
    (await runTests(
      args.filter((argument) => argument !== "--full"),
      skipped,
      full,
    )) !== 0;
  for (const { name, needed, packages } of skipped)
    say(`SKIPPED ${needed}: ${name} is missing. To get it: apt-get install ${packages.join(" ")}`);
  const problems = [...failed, ...(testsFailed ? ["tests"] : [])];
  const minutes = ((performance.now() - began) / 60_000).toFixed(1);
  say(
    problems.length === 0
      ? `All is well (${minutes} min).`
      : `FAILED: ${problems.join(", ")} (${minutes} min).`,
  );
  return problems.length === 0 ? 0 : 1;
});
