import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { get } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { anEphemeralServer } from "../cli/run-cli.ts";
import { signIn } from "../dialects/huace/sign-in.ts";
import { INSTALL_TIMEOUT, PYTHON_MISSING, pythonWith } from "../python/environment.ts";

const EXAMPLES = join(import.meta.dirname, "../../examples");
const example = (...path: string[]) => join(EXAMPLES, ...path);

/** Starts an example's program; resolves with its address when it says `ready at …`. */
async function aProgram(
  command: readonly [string, ...string[]],
  env: Record<string, string>,
): Promise<{ url: string } & AsyncDisposable> {
  const [program, ...args] = command;
  const child: ChildProcess = spawn(program, args, {
    env: { PATH: process.env["PATH"] ?? "", NO_PROXY: "*", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let errors = "";
  child.stderr?.on("data", (part: Buffer) => {
    errors += part.toString();
  });
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout?.on("data", (part: Buffer) => {
      const address = /ready at (\S+)/.exec(part.toString())?.[1];
      if (address !== undefined) resolve(address);
    });
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`${args.join(" ")} ended with ${code}: ${errors}`)));
  });
  const stop = async () => {
    child.kill();
    await once(child, "exit");
  };
  return { url, [Symbol.asyncDispose]: stop };
}

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

describe("verify-tokens", () => {
  it("greets whoever has a valid access token, and nobody else", async () => {
    await using server = await anEphemeralServer(["--apply", example("verify-tokens/ostiary.yaml")]);
    const issuer = server.ready.url;
    await using service = await aProgram([process.execPath, example("verify-tokens/service.mjs")], {
      ISSUER: issuer,
      PORT: "0",
    });
    const answered = await fetch(`${issuer}/oauth/token`, {
      method: "POST",
      headers: { authorization: `Basic ${btoa("5f0c00000000000000000001:hello-secret")}` },
      body: new URLSearchParams({ grant_type: "client_credentials" }),
    });
    const { access_token: token } = (await answered.json()) as { access_token: string };
    const hello = await fetch(`${service.url}/hello`, bearer(token));
    expect(await hello.json()).toEqual({
      hello: "5f0c00000000000000000001",
      client: "5f0c00000000000000000001",
    });
    const [head, payload, signature = ""] = token.split(".");
    const none = `${btoa('{"alg":"none","typ":"at+jwt"}').replaceAll("=", "")}.${payload}.`;
    const changed = `${head}.${payload}.${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`;
    for (const wrong of ["junk", none, changed]) {
      expect((await fetch(`${service.url}/hello`, bearer(wrong))).status).toBe(401);
    }
    expect((await fetch(`${service.url}/hello`)).status).toBe(401);
  });
});

describe("verify-tokens-python", () => {
  it.skipIf(PYTHON_MISSING)(
    "greets a signed-in user by the unmodified client, and nobody else",
    { timeout: INSTALL_TIMEOUT },
    async () => {
      const requirements = (await readFile(example("verify-tokens-python/requirements.txt"), "utf8")).trim();
      const python = await pythonWith("huace-1.1.53", requirements);
      await using server = await anEphemeralServer(["--apply", example("verify-tokens-python/ostiary.yaml")]);
      const issuer = server.ready.url;
      await using service = await aProgram([python, example("verify-tokens-python/service.py")], {
        AIGC_AUTH_BASE_URL: `${issuer}/huace`,
        PORT: "0",
      });
      const token = await signIn({
        issuer,
        clientId: "5f0c00000000000000000002",
        clientSecret: "reports-secret",
        redirectUri: "http://localhost:9003/callback",
        identifier: "zs",
        password: "correct horse battery staple",
      });
      const hello = await fetch(`${service.url}/hello`, bearer(token));
      expect(await hello.json()).toEqual({ hello: "Zhang San", roles: ["editor"] });
      expect((await fetch(`${service.url}/hello`, bearer("junk"))).status).toBe(401);
    },
  );
});

describe("sign-in", () => {
  it("shows who signed in, and forgets after signing out, there and at the server", async () => {
    const port = await freePort();
    const text = await readFile(example("sign-in/ostiary.yaml"), "utf8");
    const folder = await mkdtemp(join(tmpdir(), "ostiary-example-"));
    const file = join(folder, "ostiary.yaml");
    await writeFile(file, text.replaceAll("9003", String(port)));
    await using server = await anEphemeralServer(["--apply", file]);
    await rm(folder, { recursive: true });
    await using web = await aProgram([process.execPath, example("sign-in/web.mjs")], {
      ISSUER: server.ready.url,
      PORT: String(port),
    });
    const browser = new Browser();
    expect(await browser.open(`${web.url}/`)).toContain("Sign in");
    const form = await browser.open(`${web.url}/sign-in`);
    expect(form).toContain('name="identifier"');
    const home = await browser.submit({ identifier: "zs", password: "correct horse battery staple" });
    expect(home).toContain("Hello, Zhang San (zs@example.com)");
    expect(browser.address).toBe(`${web.url}/`);
    const out = await browser.submit({});
    const back =
      out.includes("Sign in") && browser.address === `${web.url}/` ? out : await browser.submit({});
    expect(back).toContain("Sign in");
    expect(await browser.open(`${web.url}/sign-in`)).toContain('name="identifier"');
  });
});

describe("blueking", () => {
  it("sends a visitor to the login page, and greets whoever comes back", async () => {
    const port = await freePort();
    const text = await readFile(example("blueking/ostiary.yaml"), "utf8");
    const folder = await mkdtemp(join(tmpdir(), "ostiary-example-"));
    const file = join(folder, "ostiary.yaml");
    await writeFile(file, text.replaceAll("9004", String(port)));
    await using server = await anEphemeralServer(["--apply", file]);
    await rm(folder, { recursive: true });
    const program = [process.execPath, "--conditions=ostiary-source", example("blueking/app.mjs")] as const;
    await using app = await aProgram(program, { LOGIN: `${server.ready.url}/blueking`, PORT: String(port) });
    const browser = new Browser();
    expect(await browser.open(await redirectOf(`${app.url}/`))).toContain('name="identifier"');
    const home = await browser.submit({ identifier: "zs", password: "correct horse battery staple" });
    expect(home).toBe("Hello, zs. Your id is 032edb.");
    expect(browser.address).toBe(`${app.url}/`);
    expect((await fetch(`${app.url}/`, { headers: { cookie: "bk_token=made-up" } })).status).toBe(401);
  });
});

/** Where a page leads a browser; fetch always says that a script is asking, and is answered as one. */
function redirectOf(address: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(address, { agent: false }, (answer) => resolve(answer.resume().headers.location ?? "")).on(
      "error",
      reject,
    );
  });
}

/** Follows redirects and keeps each host's cookies, whatever the port, as browsers do. */
class Browser {
  address = "";
  #page = "";
  readonly #cookies = new Map<string, Map<string, string>>();

  open(address: string): Promise<string> {
    return this.#visit(new URL(address), {});
  }

  /** Sends the page's form with its hidden fields. */
  submit(fields: Record<string, string>): Promise<string> {
    const form = /<form[^>]*method="post"[^>]*>[\s\S]*?<\/form>/i.exec(this.#page)?.[0] ?? "";
    const body = new URLSearchParams(fields);
    for (const [input] of form.matchAll(/<input[^>]*type="hidden"[^>]*>/g)) {
      body.set(attribute(input, "name"), attribute(input, "value"));
    }
    const action = attribute(/<form[^>]*>/i.exec(form)?.[0] ?? "", "action");
    return this.#visit(new URL(action || this.address, this.address), { method: "POST", body });
  }

  async #visit(address: URL, request: RequestInit): Promise<string> {
    const jar = this.#cookies.get(address.hostname) ?? new Map<string, string>();
    this.#cookies.set(address.hostname, jar);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = { cookie, origin: new URL(this.address || address).origin };
    const answer = await fetch(address, { ...request, headers, redirect: "manual" });
    for (const line of answer.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      jar.set(name, value);
    }
    const location = answer.headers.get("location");
    this.address = address.href;
    if (location !== null) return this.#visit(new URL(location, address), {});
    this.#page = await answer.text();
    return this.#page;
  }
}

function attribute(tag: string, name: string): string {
  const value = new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1] ?? "";
  return value.replaceAll("&amp;", "&").replaceAll("&quot;", '"');
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
