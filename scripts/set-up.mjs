/**
 * Installs what package-lock.json names, and the pinned Node. Needs nothing but node ≥ 20 and npm; says nothing when
 * all is up to date. Install scripts stay off (.npmrc): the one that is needed, the pinned Node's, is called here.
 */
import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fingerprint, readIfThere } from "./lib/files.mjs";
import { alone } from "./lib/lock.mjs";
import { capture, Failure, main, PINNED_NODE, ROOT, say, step } from "./lib/run.mjs";

const LOCK_FILE = join(ROOT, "package-lock.json");
const STAMP = join(ROOT, "node_modules/.ostiary-set-up");

export async function setUp() {
  if (isCurrent()) return;
  await alone("set-up", async () => {
    if (isCurrent()) return; // another run was quicker
    if (!matchesLock()) await step("installed the packages of package-lock.json", installPackages);
    if (!(await pinnedNodeRuns())) await step("installed the pinned Node", installPinnedNode);
    linkPinnedNode();
    writeFileSync(STAMP, wantedStamp());
  });
}

function wantedStamp() {
  return fingerprint([LOCK_FILE], process.platform, process.arch);
}

function isCurrent() {
  return (
    readIfThere(STAMP) === wantedStamp() &&
    existsSync(PINNED_NODE) &&
    existsSync(join(ROOT, "node_modules/.bin/node"))
  );
}

/** Whether an `npm install` by hand has already brought node_modules to the lock file. npm notes there what it did. */
function matchesLock() {
  const installed = readIfThere(join(ROOT, "node_modules/.package-lock.json"));
  if (installed === undefined) return false;
  const have = JSON.parse(installed).packages;
  const wanted = JSON.parse(readFileSync(LOCK_FILE, "utf8")).packages;
  return Object.entries(wanted).every(
    ([path, { version, link, optional }]) =>
      !path.startsWith("node_modules/") ||
      link ||
      (optional && !have[path]) ||
      have[path]?.version === version,
  );
}

/** npm as a child: the settings that a surrounding `npm run` hands down would lead it to another folder. */
function npmEnvironment() {
  const own = Object.entries(process.env).filter(
    ([name]) =>
      !/^npm_(package|lifecycle|command|execpath|config_(local_prefix|prefix|global_prefix|omit|production))/i.test(
        name,
      ),
  );
  return {
    ...Object.fromEntries(own),
    PATH: [dirname(process.execPath), process.env.PATH ?? ""].join(delimiter),
    npm_config_audit: "false",
    npm_config_fund: "false",
    npm_config_update_notifier: "false",
  };
}

/**
 * `npm install --no-save` takes the versions and hashes of the lock file, as `npm ci` does, and leaves that file alone.
 * `npm ci` itself would wipe node_modules under a running server, and it refuses a lock file that was written against
 * a registry which lacks the binaries for other platforms.
 */
async function installPackages() {
  say("installing packages (a minute or two the first time) …");
  const args = ["install", "--no-save", "--include=dev", "--include=optional", "--loglevel=error"];
  const { code, output } = await capture("npm", args, { env: npmEnvironment() });
  if (code === 0) return;
  throw new Failure(
    `${lastLines(output)}\nnpm could not install the packages (exit code ${code}). Is the npm registry reachable from here? Then run this again.`,
  );
}

function wantedNode() {
  return JSON.parse(readFileSync(LOCK_FILE, "utf8")).packages["node_modules/node"].version;
}

async function pinnedNodeRuns() {
  const { output } = await capture(PINNED_NODE, ["--version"]);
  return output.trim() === `v${wantedNode()}`;
}

/** The package `node` is a script which fetches node-<platform>-<arch> with npm, into its own folder. */
async function installPinnedNode() {
  const folder = join(ROOT, "node_modules/node");
  mkdirSync(join(folder, "bin"), { recursive: true });
  rmSync(PINNED_NODE, { force: true });
  const script = join(folder, "installArchSpecificPackage.js");
  const before = readFileSync(LOCK_FILE);
  const { code, output } = await capture(process.execPath, [script], { cwd: folder, env: npmEnvironment() });
  if (!before.equals(readFileSync(LOCK_FILE))) writeFileSync(LOCK_FILE, before); // other npm versions may search upwards
  if (code !== 0)
    throw new Failure(
      `${lastLines(output)}\nNode ${wantedNode()} could not be fetched (exit code ${code}). Is the npm registry reachable from here? Then run this again.`,
    );
  if (!(await pinnedNodeRuns()))
    say(
      `Node ${wantedNode()} does not run on this machine (it needs glibc); ${process.version} is used instead`,
    );
}

/** npm makes links for programs only when the file is there at install time; this one comes later. */
function linkPinnedNode() {
  const link = join(ROOT, "node_modules/.bin/node");
  if (lstatSync(link, { throwIfNoEntry: false })) return;
  symlinkSync("../node/bin/node", link);
}

function lastLines(output) {
  return output.trim().split("\n").slice(-12).join("\n");
}

await main(import.meta.url, setUp);
