import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { expect, it } from "vitest";
import { linkLibraries } from "./binaries.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "./index.ts";
import { aDataDirectory, kill, killServer, postmasterPid, startWriter } from "./testing/processes.ts";

const root = process.getuid?.() === 0;

async function start(dataDirectory: string, options: { binDirectory?: string; durable?: boolean } = {}) {
  const messages: string[] = [];
  const postgres = await startEmbeddedPostgres({
    dataDirectory,
    durable: false,
    ...options,
    log: (message) => messages.push(message),
  });
  return { ...postgres, messages, [Symbol.asyncDispose]: () => postgres.stop() };
}

async function ask(postgres: Pick<EmbeddedPostgres, "connection">, sql: string): Promise<unknown[]> {
  const client = new Client({ ...postgres.connection, connectionTimeoutMillis: 2_000 });
  client.on("error", () => {});
  try {
    await client.connect();
    const { rows } = await client.query<unknown[]>({ text: sql, rowMode: "array" });
    return rows.flat();
  } finally {
    await client.end().catch(() => {});
  }
}

async function eventually<T>(work: () => Promise<T>, patience = 15_000): Promise<T> {
  const deadline = Date.now() + patience;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(50);
    }
  }
}

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

it("starts over the pid file of a dead server, also when its number belongs to another process by now", async () => {
  await using data = await aDataDirectory();
  const first = await start(data.path);
  const pidFile = join(first.directory, "cluster/postmaster.pid");
  const lines = readFileSync(pidFile, "utf8").split("\n").slice(1);
  await ask(first, "create table kept ()");
  await first.stop();
  for (const number of [999_999_999, process.pid]) {
    writeFileSync(pidFile, [number, ...lines].join("\n"));
    if (root) spawnSync("chown", ["--reference", join(first.directory, "cluster"), pidFile]);
    const next = await start(data.path);
    expect(next.adopted).toBe(false);
    expect(await ask(next, "select count(*)::int from kept")).toEqual([0]);
    await next.stop();
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
});

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
