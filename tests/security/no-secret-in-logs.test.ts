import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";

const PASSWORD = "marker password 7Q";
const WRONG = "marker wrong 8R";
const SECRET = "marker-secret-9S";
const KEY = "ak_deadbeefdeadbeefdeadbeefdeadbeef";
const CALLBACK = "http://127.0.0.1:9/callback";
const CONFIGURATION = JSON.stringify({
  version: "ostiary/v1",
  tenants: [
    {
      slug: "default",
      applications: [
        {
          key: "shop",
          name: "Shop",
          serial: 1001,
          secret: SECRET,
          redirectUris: [CALLBACK],
          grantTypes: ["authorization_code", "refresh_token", "client_credentials"],
          signInMethods: ["password"],
          tokenEndpointAuthMethod: "client_secret_basic",
        },
      ],
      users: [{ username: "zs", password: { plain: PASSWORD }, administrator: true }],
      apiKeys: [{ name: "test", type: "user", user: "zs", key: KEY }],
    },
  ],
});

/** What the answers are read for. */
interface Body {
  items: { id: string }[];
  id: string;
  accessToken?: string;
  access_token: string;
  refresh_token: string;
  id_token: string;
}

const read = async (answer: Response | Promise<Response>): Promise<Body> =>
  (await (await answer).json()) as Body;

let server: ChildProcess | undefined;
afterAll(() => void server?.kill("SIGKILL"));

/** Runs everything that carries a secret once right and once wrong, and returns every secret that was on the wire. */
async function useEverySecret(url: string): Promise<string[]> {
  const seen = [PASSWORD, WRONG, SECRET, KEY, "garbled.token.marker"];
  const api = (path: string, authorization: string, init: RequestInit = {}) =>
    fetch(`${url}/api/v1${path}`, {
      ...init,
      headers: { authorization, "content-type": "application/json" },
    });
  const { items } = await read(api("/applications", `Bearer ${KEY}`));
  const clientId = items[0]?.id ?? "";
  await api("/users", "Bearer garbled.token.marker");
  await api("/users", `Bearer ${KEY}`, {
    method: "POST",
    body: `{"username":"x","password":{"plain":"${PASSWORD}",}`,
  });
  const created = await read(
    api("/users", `Bearer ${KEY}`, {
      method: "POST",
      body: JSON.stringify({ username: "second", password: { plain: PASSWORD } }),
    }),
  );
  await api(`/users/${created.id}/password`, `Bearer ${KEY}`, {
    method: "PUT",
    body: JSON.stringify({ plain: WRONG }),
  });
  for (const password of [WRONG, PASSWORD]) {
    const answer = await api("/sign-in", "", {
      method: "POST",
      body: JSON.stringify({
        applicationId: clientId,
        applicationSecret: SECRET,
        identifier: "zs",
        password,
      }),
    });
    const { accessToken } = await read(answer);
    if (accessToken) seen.push(accessToken);
  }
  seen.push(...(await useBrowserFlow(url, clientId)));
  await fetch(`${url}/huace/sdk/token/verify`, {
    method: "POST",
    headers: { "content-type": "application/json", "X-App-ID": "1001", "X-App-Secret": SECRET },
    body: JSON.stringify({ token: seen.at(-1) }),
  });
  return seen;
}

/** The authorization code flow as a browser does it, with a wrong password first. */
async function useBrowserFlow(url: string, clientId: string): Promise<string[]> {
  const cookies = new Map<string, string>();
  const go = async (address: string, init: RequestInit = {}) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await fetch(new URL(address, url), { ...init, redirect: "manual", headers: { cookie } });
    for (const line of answer.headers.getSetCookie()) {
      const [name = "", value = ""] = (line.split(";", 1)[0] ?? "").split(/=(.*)/s);
      cookies.set(name, value);
    }
    return answer;
  };
  const verifier = "v".repeat(64);
  const query = new URLSearchParams({
    client_id: clientId,
    redirect_uri: CALLBACK,
    response_type: "code",
    scope: "openid offline_access",
    prompt: "consent",
    state: "s",
    nonce: "n",
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  let answer = await go(`/oauth/authorize?${query}`);
  const attempts = [WRONG, PASSWORD];
  for (let steps = 0; steps < 12; steps++) {
    const location = answer.headers.get("location");
    if (location?.startsWith(CALLBACK)) break;
    if (location) {
      answer = await go(location);
      continue;
    }
    const html = await answer.text();
    const form = new URLSearchParams();
    for (const [, name = "", value = ""] of html.matchAll(
      /<input type="hidden" name="([^"]+)" value="([^"]*)"/g,
    ))
      form.set(name, value);
    const action = /<form[^>]* action="([^"]+)"/.exec(html)?.[1] ?? "";
    if (html.includes('name="password"')) {
      form.set("identifier", "zs");
      form.set("password", attempts.shift() ?? PASSWORD);
    } else form.set("decision", "allow");
    answer = await go(action.replaceAll("&amp;", "&"), { method: "POST", body: form });
  }
  const code = new URL(answer.headers.get("location") ?? "").searchParams.get("code") ?? "";
  expect(code).not.toBe("");
  const exchange = (body: Record<string, string>) =>
    fetch(`${url}/oauth/token`, {
      method: "POST",
      headers: { authorization: `Basic ${Buffer.from(`${clientId}:${SECRET}`).toString("base64")}` },
      body: new URLSearchParams(body),
    });
  const tokens = await read(
    exchange({
      grant_type: "authorization_code",
      code,
      redirect_uri: CALLBACK,
      code_verifier: verifier,
    }),
  );
  const rotated = await read(exchange({ grant_type: "refresh_token", refresh_token: tokens.refresh_token }));
  await exchange({ grant_type: "refresh_token", refresh_token: tokens.refresh_token });
  const secrets = [
    code,
    verifier,
    tokens.access_token,
    tokens.refresh_token,
    tokens.id_token,
    rotated.refresh_token,
  ];
  for (const secret of secrets) expect(secret).toBeTypeOf("string");
  return [...secrets, ...[...cookies.values()].filter((value) => value.length > 20)];
}

it("no password, secret, key, code, cookie or token is in the logs of a whole run at the noisiest level", async () => {
  const entry = fileURLToPath(new URL("../cluster/serve.ts", import.meta.url));
  server = spawn(process.execPath, ["--conditions=ostiary-source", entry], {
    env: { ...process.env, PORT: "0", OSTIARY_LOG_LEVEL: "trace", TEST_CONFIGURATION: CONFIGURATION },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  server.stderr?.on("data", (chunk) => {
    log += chunk;
  });
  const [line] = await once(createInterface({ input: server.stdout as NodeJS.ReadableStream }), "line");
  const secrets = await useEverySecret(JSON.parse(String(line)).url);
  server.kill("SIGTERM");
  await once(server, "exit");
  expect(log.length).toBeGreaterThan(1_000);
  expect(log).toContain("/oauth/token");
  for (const secret of secrets)
    expect(log.includes(secret), `${secret.slice(0, 12)}… is in the log`).toBe(false);
}, 60_000);
