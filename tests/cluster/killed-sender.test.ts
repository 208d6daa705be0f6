import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { createServer as createSocket } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { aDatabase, type TestDatabase } from "../../packages/server/src/testing/a-database.ts";

const VERIFIER = "v".repeat(43);

let database: TestDatabase;
let hook: Server;
let mails: { to: string; text: string }[] = [];
/** Whether the mail service answers; else it has the message and says nothing. */
let answers = false;
const children: ChildProcess[] = [];

beforeAll(async () => {
  database = await aDatabase();
  hook = createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    mails.push(JSON.parse(body));
    if (answers) response.end();
  }).listen(0, "127.0.0.1");
  await once(hook, "listening");
});
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  hook.closeAllConnections();
  hook.close();
  await database?.[Symbol.asyncDispose]();
});

const portOf = (server: { address(): unknown }) => (server.address() as { port: number }).port;

async function freePort(): Promise<number> {
  const probe = createSocket().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const port = portOf(probe);
  probe.close();
  await once(probe, "close");
  return port;
}

async function start(advance: number) {
  const config = { mail: `http://127.0.0.1:${portOf(hook)}/` };
  const settings = { connection: database.connection, port: await freePort(), config, advance };
  const program = fileURLToPath(new URL("../usage/serve.ts", import.meta.url));
  const child = spawn(process.execPath, ["--conditions=ostiary-source", program], {
    env: { ...process.env, TEST_SERVER: JSON.stringify(settings) },
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  const [line] = await once(createInterface({ input: child.stdout as NodeJS.ReadableStream }), "line");
  const { url, operator } = JSON.parse(String(line)) as { url: string; operator: string };
  const call = async (path: string, body: object, headers: Record<string, string> = {}) => {
    const answer = await fetch(`${url}/api/v1${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
    expect(answer.status, await answer.clone().text()).toBeLessThan(300);
    return (await answer.json()) as { id: string; secret: string; flow: { id: string; state: string } };
  };
  const kill = async () => {
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  };
  return { call, kill, operator };
}

const waiting = () =>
  database.database.query<{ sealed: Buffer }>("select sealed_payload as sealed from outgoing_messages");

it("a code whose sender is killed comes once more, from one of the processes, and works", async () => {
  const first = await start(0);
  const as = { authorization: first.operator };
  const ann = { username: "ann", email: "ann@example.com", emailVerified: true };
  await first.call("/users", { ...ann, password: { plain: "correct horse battery staple" } }, as);
  const phone = await first.call(
    "/applications",
    {
      slug: "phone",
      name: "Phone",
      redirectUris: ["https://phone.example/callback"],
      tokenEndpointAuthMethod: "none",
      consent: "implicit",
      settings: { headlessSignIn: true },
    },
    as,
  );
  const codeChallenge = createHash("sha256").update(VERIFIER).digest("base64url");
  const begun = { applicationId: phone.id, scopes: ["openid"], codeChallenge };
  const { flow, secret } = await first.call("/sign-in/flows", begun);
  const steps = `/sign-in/flows/${flow.id}/steps`;
  const own = { "ostiary-flow": secret };
  await first.call(`${steps}/start-recovery`, { identifier: "ann" }, own);
  await vi.waitFor(() => expect(mails).toMatchObject([{ to: "ann@example.com" }]), 5_000);
  const code = /\b\d{6}\b/.exec(mails[0]?.text ?? "")?.[0] ?? "";
  await first.kill();
  const [row] = await waiting();
  expect(row?.sealed.length).toBeGreaterThan(0);
  expect(row?.sealed.toString("latin1")).not.toMatch(new RegExp(`${code}|ann@example`));

  answers = true;
  mails = [];
  const [second, third] = await Promise.all([start(121), start(121)]);
  await vi.waitFor(async () => expect(await waiting()).toEqual([]), 10_000);
  expect(mails).toMatchObject([{ to: "ann@example.com", text: expect.stringContaining(code) }]);
  const { flow: next } = await second.call(`${steps}/give-code`, { code }, own);
  expect(next.state).toBe("new-password");

  await Promise.all([second.kill(), third.kill()]);
  await start(400);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect(mails.filter(({ text }) => text.includes(code))).toHaveLength(1);
}, 120_000);
