import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createBreachedPasswordsRange } from "./breached-password-range.ts";
import { anyBreachedPasswords, createBreachedPasswordsFile } from "./breached-passwords.ts";
import { checkPasswordPolicy } from "./password-policy.ts";

const nobody = { identifiers: [] };

describe("the password policy", () => {
  it("accepts a passphrase without digits or capitals", async () => {
    expect(await checkPasswordPolicy({}, "correct horse battery staple", nobody)).toEqual([]);
  });

  it("counts characters, not bytes or UTF-16 units", async () => {
    expect(await checkPasswordPolicy({}, "电池电池电池电池", nobody)).toEqual([]);
    expect(await checkPasswordPolicy({}, "🔑🔑🔑🔑", nobody)).toEqual(["password.too_short"]);
    expect(await checkPasswordPolicy({}, "🔑".repeat(256), nobody)).toEqual([]);
    expect(await checkPasswordPolicy({}, "a".repeat(257), nobody)).toEqual(["password.too_long"]);
  });

  it("takes the tenant's own lengths", async () => {
    const policy = { minimumLength: 6, maximumLength: 10 };
    expect(await checkPasswordPolicy(policy, "abcdef", nobody)).toEqual([]);
    expect(await checkPasswordPolicy(policy, "abcde", nobody)).toEqual(["password.too_short"]);
    expect(await checkPasswordPolicy(policy, "abcdefghijk", nobody)).toEqual(["password.too_long"]);
  });

  it.each([
    ["the user name", "ZhangSan", "zhangsan"],
    ["the user name inside", "my-zhangsan-2026", "ZhangSan"],
    ["the local part of the address", "zhang.san!2026", "zhang.san@example.com"],
    ["the phone number", "+8613800000000", "+8613800000000"],
    ["the full-width spelling of the name", "ｚｈａｎｇｓａｎ", "zhangsan"],
  ])("refuses %s", async (_, password, identifier) => {
    const violations = await checkPasswordPolicy({}, password, { identifiers: ["", identifier] });
    expect(violations).toEqual(["password.contains_identifier"]);
  });

  it("lets a user with a short name use its letters", async () => {
    expect(await checkPasswordPolicy({}, "banana bread", { identifiers: ["an"] })).toEqual([]);
  });

  it("asks for the history only when everything else is well, since that is expensive", async () => {
    let asked = 0;
    const isReused = async () => ++asked > 0;
    expect(await checkPasswordPolicy({}, "short", { identifiers: [], isReused })).toEqual([
      "password.too_short",
    ]);
    expect(asked).toBe(0);
    expect(await checkPasswordPolicy({}, "long enough", { identifiers: [], isReused })).toEqual([
      "password.reused",
    ]);
  });

  it("reports every rule that is broken", async () => {
    const breached = { isBreached: async () => true };
    expect(await checkPasswordPolicy({}, "abcd", { identifiers: ["abcd"], breached })).toEqual([
      "password.too_short",
      "password.contains_identifier",
      "password.breached",
    ]);
  });
});

describe("the file of breached passwords", () => {
  const known = Array.from({ length: 500 }, (_, i) => `known ${i}`);
  let folder: string;
  let path: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "ostiary-breached-"));
    path = join(folder, "hashes.txt");
  });
  afterAll(() => rm(folder, { recursive: true }));

  const write = (line: (hash: string, index: number) => string, end: string) => {
    const hashes = known.map((text) => createHash("sha1").update(text).digest("hex").toUpperCase()).sort();
    return writeFile(path, hashes.map(line).join(end) + end);
  };

  it.each([
    ["counts and newlines", (hash: string, i: number) => `${hash}:${i * 977}`, "\n"],
    ["counts and Windows line ends", (hash: string, i: number) => `${hash}:${i + 1}`, "\r\n"],
    ["bare lowercase hashes", (hash: string) => hash.toLowerCase(), "\n"],
  ])("finds every listed password and no other, with %s", async (_, line, end) => {
    await write(line, end);
    const breached = createBreachedPasswordsFile(path);
    for (const text of known) expect(await breached.isBreached(text), text).toBe(true);
    for (const text of known) expect(await breached.isBreached(`un${text}`), text).toBe(false);
  });

  it("answers no for an empty file", async () => {
    await writeFile(path, "");
    expect(await createBreachedPasswordsFile(path).isBreached("known 1")).toBe(false);
  });

  it("says so when the file is something else, instead of finding nothing", async () => {
    await writeFile(path, "password\n123456\nqwerty\n".repeat(20));
    await expect(createBreachedPasswordsFile(path).isBreached("password")).rejects.toThrow(
      "not a list of SHA-1",
    );
  });
});

describe("the service of breached passwords", () => {
  const hashOf = (text: string) => createHash("sha1").update(text).digest("hex").toUpperCase();
  const failures: unknown[] = [];
  const paths: (string | undefined)[] = [];
  let answer: (response: ServerResponse) => void;
  let server: Server;
  let url: string;
  beforeAll(async () => {
    server = createServer((request, response) => {
      paths.push(`${request.url} ${request.headers["add-padding"]}`);
      answer(response);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/range`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  const ask = (password: string) =>
    createBreachedPasswordsRange(url, { onFailure: (error) => failures.push(error) }).isBreached(password);

  it("learns five characters of the hash, and what it lists is found; padding is not", async () => {
    const listed = [hashOf("known"), hashOf("other")].map((hash) => hash.slice(5));
    answer = (response) => void response.end(`${listed[0]}:3\r\n${listed[1]?.toLowerCase()}:0\r\n`);
    expect(await ask("known")).toBe(true);
    expect(await ask("other")).toBe(false);
    expect(await ask("unheard of")).toBe(false);
    expect(paths[0]).toBe(`/range/${hashOf("known").slice(0, 5)} true`);
    expect(failures).toEqual([]);
  });

  it.each([
    ["is broken", (response: ServerResponse) => void response.writeHead(500).end()],
    ["leads elsewhere", (response: ServerResponse) => void response.writeHead(302, { location: "/" }).end()],
    ["never ends", (response: ServerResponse) => void response.write("x".repeat(1_100_000))],
    ["does not answer", () => {}],
  ])("lets the password pass when it %s, within two seconds, and says so", async (_, how) => {
    answer = how;
    failures.length = 0;
    const began = performance.now();
    expect(await ask("known")).toBe(false);
    expect(performance.now() - began).toBeLessThan(2_500);
    expect(failures).toHaveLength(1);
    expect(String(failures[0])).not.toContain(hashOf("known").slice(0, 5));
  });

  it("is one of several sources", async () => {
    const yes = { isBreached: async () => true };
    const no = { isBreached: async () => false };
    expect(await anyBreachedPasswords([no, yes]).isBreached("x")).toBe(true);
    expect(await anyBreachedPasswords([no]).isBreached("x")).toBe(false);
    expect(await anyBreachedPasswords([]).isBreached("x")).toBe(false);
  });
});
