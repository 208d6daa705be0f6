import { spawnSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { aDataDirectory, kill, killServer, postmasterPid, startWriter } from "./testing/processes.ts";
import { ask, eventually, start } from "./testing/servers.ts";

const root = process.getuid?.() === 0;

it("makes a database, serves it on a private socket without TCP, and stops it", async () => {
  await using data = await aDataDirectory();
  const began = performance.now();
  const postgres = await start(data.path, { durable: true });
  const made = performance.now() - began;
  expect(postgres.adopted).toBe(false);
  const facts =
    "select version() ~ 'PostgreSQL (1[5-9]|2)', current_database(), current_setting('listen_addresses')";
  expect(await ask(postgres, facts)).toEqual([true, "ostiary", ""]);
  const durable =
    "select current_setting('fsync'), current_setting('synchronous_commit'), current_setting('full_page_writes')";
  expect(await ask(postgres, durable)).toEqual(["on", "on", "on"]);
  expect(statSync(postgres.connection.host).mode & 0o777).toBe(0o700);
  await postgres.stop();
  await expect(ask(postgres, "select 1")).rejects.toThrow();
  expect(postmasterPid(data.path)).toBeUndefined();

  const again = performance.now();
  await using next = await start(data.path, { durable: true });
  console.log(`first start ${Math.round(made)} ms, second ${Math.round(performance.now() - again)} ms`);
  expect(next.messages.join()).not.toContain("made a new");
});

it("folds case beyond ASCII, whatever the machine's locale", async () => {
  await using data = await aDataDirectory();
  await using postgres = await start(data.path);
  expect(await ask(postgres, "select lower('ÅSA'), upper('straße')")).toEqual([
    "åsa",
    "STRASSE".replace("SS", "ß"),
  ]);
});

it("adopts the server that a killed process left behind", async () => {
  await using data = await aDataDirectory();
  const writer = startWriter(data.path, { idle: true });
  await writer.ready;
  const pid = postmasterPid(data.path);
  kill(writer.child.pid);
  await writer.ended;
  await using postgres = await start(data.path, { durable: true });
  expect(postgres.adopted).toBe(true);
  expect(postmasterPid(data.path)).toBe(pid);
});

it("does not adopt a server that would lose rows in a power cut, but starts it again", async () => {
  await using data = await aDataDirectory();
  const careless = await start(data.path, { durable: false });
  await using postgres = await start(data.path, { durable: true });
  expect(postgres.adopted).toBe(false);
  expect(await ask(postgres, "select current_setting('fsync')")).toEqual(["on"]);
  await careless.stop();
  expect(await ask(postgres, "select 1")).toEqual([1]);
});

it("lets eight that start at once share one server, which the last one stops", async () => {
  await using data = await aDataDirectory();
  const all = await Promise.all(Array.from({ length: 8 }, () => start(data.path)));
  expect(all.filter((each) => !each.adopted)).toHaveLength(1);
  const last = all.pop();
  await Promise.all(all.map((each) => each.stop()));
  if (last) expect(await ask(last, "select 1")).toEqual([1]);
  await last?.stop();
  expect(postmasterPid(data.path)).toBeUndefined();
});

it("leaves no server behind when all stop at the same moment", async () => {
  await using data = await aDataDirectory();
  const all = await Promise.all(Array.from({ length: 4 }, () => start(data.path)));
  await Promise.all(all.map((each) => each.stop()));
  expect(postmasterPid(data.path)).toBeUndefined();
});

it("starts over the pid file of a dead server, also when its number belongs to another process or is missing", async () => {
  await using data = await aDataDirectory();
  const first = await start(data.path);
  const pidFile = join(first.directory, "cluster/postmaster.pid");
  const lines = readFileSync(pidFile, "utf8").split("\n").slice(1);
  await ask(first, "create table kept ()");
  await first.stop();
  for (const text of [[999_999_999, ...lines].join("\n"), [process.pid, ...lines].join("\n"), ""]) {
    writeFileSync(pidFile, text);
    if (root) spawnSync("chown", ["--reference", join(first.directory, "cluster"), pidFile]);
    writeFileSync(join(first.connection.host, ".s.PGSQL.5432.lock"), text);
    const next = await start(data.path);
    expect(next.adopted).toBe(false);
    expect(await ask(next, "select count(*)::int from kept")).toEqual([0]);
    await next.stop();
  }
});

it("adopts the server that a process started just before it was killed", async () => {
  await using data = await aDataDirectory();
  await (await start(data.path)).stop();
  const cluster = join(data.path, "postgres/cluster");
  for (let round = 1; round <= 8; round++) {
    const writer = startWriter(data.path, { idle: true });
    // The clearest sign of a server about to start is the output file that is emptied for it.
    const before = statSync(join(data.path, "postgres/startup.log")).mtimeMs;
    await eventually(
      async () => expect(statSync(join(cluster, "../startup.log")).mtimeMs).not.toBe(before),
      5_000,
      1,
    );
    kill(writer.child.pid);
    const next = await start(data.path, { durable: true });
    expect(await ask(next, "select 1")).toEqual([1]);
    await next.stop();
    await writer.ended;
  }
});

it("starts the server again when it dies", async () => {
  await using data = await aDataDirectory();
  await using postgres = await start(data.path, { durable: true });
  await ask(postgres, "create table kept ()");
  killServer(data.path);
  expect(await eventually(() => ask(postgres, "select count(*)::int from kept"))).toEqual([0]);
  expect(postgres.messages).toContain("the database has gone away; starting it again");
});

it("starts the server again when only its first process is killed and backends linger", async () => {
  await using data = await aDataDirectory();
  await using postgres = await start(data.path);
  kill(postmasterPid(data.path));
  expect(await eventually(() => ask(postgres, "select 1"))).toEqual([1]);
});

it("survives the removal of its socket directory", async () => {
  await using data = await aDataDirectory();
  await using postgres = await start(data.path);
  rmSync(postgres.connection.host, { recursive: true });
  expect(await eventually(() => ask(postgres, "select 1"))).toEqual([1]);
  expect(postgres.messages.join()).toContain("socket has been removed");
});

it("finds a short place for the socket when the data directory's path is too long", async () => {
  await using data = await aDataDirectory();
  chmodSync(data.path, 0o755);
  const deep = join(data.path, "a-rather-long-name-of-a-folder".repeat(4));
  const postgres = await start(deep);
  expect(postgres.connection.host).toMatch(/^\/tmp\/ostiary-[0-9a-f]{16}$/);
  await postgres.stop();
  rmSync(postgres.connection.host, { recursive: true });
  const again = await start(deep);
  expect(await ask(again, "select 1")).toEqual([1]);
  await again.stop();
  rmSync(again.connection.host, { recursive: true });
});

it("stops the server when the process ends normally, and not when Ctrl-C reaches the process group", async () => {
  await using data = await aDataDirectory();
  const writer = startWriter(data.path, { idle: true });
  await writer.ready;
  const pid = postmasterPid(data.path) ?? 0;
  const group = spawnSync("ps", ["-o", "pgid=", "-p", `${pid},${writer.child.pid}`], {
    encoding: "utf8",
  }).stdout;
  expect(new Set(group.trim().split(/\s+/)).size).toBe(2);
  kill(writer.child.pid, "SIGTERM");
  await writer.ended;
  await eventually(async () => expect(postmasterPid(data.path)).toBeUndefined());
});

it.runIf(process.platform === "linux")("replaces a running server of another release", async () => {
  await using data = await aDataDirectory();
  const first = await start(data.path);
  const wrapper = join(data.path, "bin");
  mkdirSync(wrapper);
  const real = dirname(readlinkSync(`/proc/${postmasterPid(data.path)}/exe`));
  symlinkSync(join(real, "initdb"), join(wrapper, "initdb"));
  const script = `#!/bin/sh\n[ "$1" = --version ] && echo "postgres (PostgreSQL) 18.99" || exec ${real}/postgres "$@"\n`;
  writeFileSync(join(wrapper, "postgres"), script, { mode: 0o755 });
  await using second = await start(data.path, { binDirectory: wrapper });
  expect(second.adopted).toBe(false);
  expect(second.messages.join()).toContain("and the programs are 18.99; starting it again");
  await first.stop();
});
