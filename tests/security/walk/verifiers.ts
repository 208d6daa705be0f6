import { createHash } from "node:crypto";
import { type App, type AppName, at, basic, type House, ORIGIN, type Reply } from "./house.ts";
import { type Credential, isEnough, type Kind, type Run, whyNot } from "./ledger.ts";

/** Somebody who is shown something and says whether it is good. */
export interface Verifier {
  name: string;
  /** What it takes; everything else is worth nothing to it. */
  takes: readonly Kind[];
  /** For whom it asks; null: for no application. */
  asker: AppName | null;
  /** Only what was given out for this application is its business. */
  only?: AppName;
  /** Changes nothing, so it may be asked after every step. */
  asks(house: House, app: App, value: string, base: string): Promise<boolean>;
}

export const VERIFIER = "s".repeat(43);
export const CHALLENGE = createHash("sha256").update(VERIFIER).digest("base64url");

const bearer = (token: string, base: string) => ({
  authorization: `Bearer ${token}`,
  ...(base === "" ? {} : { "ostiary-tenant": "other" }),
});

export function authorize(base: string, app: App, more: Record<string, string> = {}): string {
  const query = new URLSearchParams({
    client_id: app.id,
    redirect_uri: `${ORIGIN}/${app.name}`,
    response_type: "code",
    scope: "openid profile account",
    code_challenge: CHALLENGE,
    code_challenge_method: "S256",
    ...more,
  });
  return `${base}/oauth/authorize?${query}`;
}

const ok = ({ status }: Reply) => status === 200;
const cookieOf = (value: string, base: string) => ({
  cookie: `ostiary_session${base === "" ? "" : "_other"}=${/^[0-9a-f]{24}-/.test(value) ? value.replace("-", ".") : value}`,
});
const asTicket = (value: string) => (/^[0-9a-f]{24}\./.test(value) ? value.replace(".", "-") : value);
export const gatewayHeader = (app: App, more: object = {}) => ({
  "x-bkapi-authorization": JSON.stringify({ bk_app_code: app.name, bk_app_secret: app.secret, ...more }),
});
export const ssmHeaders = (app: App) => ({ "x-bk-app-code": app.name, "x-bk-app-secret": app.secret });
export const huaceHeaders = (app: App) => ({ "x-app-id": app.id, "x-app-secret": app.secret });
export const GATEWAY = "/blueking/prod/api/v2/open/gateways/gate/jwt";

const isLogin = async (house: House, app: App | null, value: string, base: string) => {
  const caller = app ? { bk_app_code: app.name, bk_app_secret: app.secret } : {};
  const query = new URLSearchParams({ bk_token: asTicket(value), ...caller });
  return (
    (await house.call("GET", `${base}/blueking/login/api/v3/is_login/?${query}`)).body["result"] === true
  );
};

const forEach = (make: (asker: AppName) => Verifier): Verifier[] => (["shop", "vault"] as const).map(make);

export const VERIFIERS: readonly Verifier[] = [
  {
    name: "userinfo",
    takes: ["access"],
    asker: null,
    asks: async (house, _app, value, base) =>
      ok(await house.call("GET", `${base}/oauth/userinfo`, { headers: bearer(value, base) })),
  },
  {
    name: "API v1",
    takes: ["access"],
    asker: null,
    asks: async (house, _app, value, base) =>
      ok(await house.call("GET", "/api/v1/me", { headers: bearer(value, base) })),
  },
  ...forEach((asker) => ({
    name: `introspection by ${asker}`,
    takes: ["access"],
    asker: null, // it is told for whom the token is
    asks: async (house, app, token, base) => {
      const headers = basic(app);
      return (
        (await house.call("POST", `${base}/oauth/introspect`, { form: { token }, headers })).body[
          "token_type"
        ] === "Bearer"
      );
    },
  })),
  ...forEach((asker) => ({
    name: `introspection of a refresh token by ${asker}`,
    takes: ["refresh"],
    asker,
    only: asker,
    asks: async (house, app, token, base) => {
      const form = { token, token_type_hint: "refresh_token" };
      return (
        (await house.call("POST", `${base}/oauth/introspect`, { form, headers: basic(app) })).body[
          "token_type"
        ] === "refresh_token"
      );
    },
  })),
  ...forEach((asker) => ({
    name: `huace for ${asker}`,
    takes: ["access"],
    asker,
    asks: async (house, app, token, base) => {
      const how = { json: { token }, headers: huaceHeaders(app) };
      return (
        at((await house.call("POST", `${base}/huace/sdk/token/verify`, how)).body, "data", "valid") === true
      );
    },
  })),
  {
    name: "is_login for nobody",
    takes: ["ticket"],
    asker: null,
    asks: (house, _app, value, base) => isLogin(house, null, value, base),
  },
  ...forEach((asker) => ({
    name: `is_login for ${asker}`,
    takes: ["ticket"],
    asker,
    asks: (house, app, value, base) => isLogin(house, app, value, base),
  })),
  ...forEach((asker) => ({
    name: `BlueKing's token service for ${asker}`,
    takes: ["access"],
    asker: null, // it says for whom the token is
    asks: async (house, app, value, base) => {
      const how = { json: { access_token: value }, headers: ssmHeaders(app) };
      const url = `${base}/blueking/api/v1/auth/access-tokens/verify`;
      return (await house.call("POST", url, how)).body["result"] === true;
    },
  })),
  ...forEach((asker) => ({
    name: `the gateway for ${asker}`,
    takes: ["gateway"],
    asker,
    only: asker,
    asks: async (house, app, jwt, base) => {
      const how = { json: { jwt }, headers: gatewayHeader(app) };
      const { body } = await house.call("POST", `${base}${GATEWAY}/verify`, how);
      return at(body, "data", "user", "verified") === true;
    },
  })),
  {
    name: "Zibanu's services",
    takes: ["sliding"],
    asker: null,
    asks: async (house, _app, value, base) => {
      const headers = { authorization: `JWT ${value}` };
      return ok(await house.call("POST", `${base}/zibanu/utils/language/list/`, { headers }));
    },
  },
  {
    name: "the account page",
    takes: ["cookie"],
    asker: null,
    asks: async (house, _app, value, base) =>
      ok(await house.call("GET", `${base}/account`, { headers: cookieOf(value, base) })),
  },
  ...forEach((asker) => ({
    name: `${asker} without a question`,
    takes: ["cookie"],
    asker,
    asks: async (house, app, value, base) => {
      const url = authorize(base, app, { prompt: "none" });
      return (await house.call("GET", url, { headers: cookieOf(value, base) })).location.includes("code=");
    },
  })),
] satisfies Verifier[];

/** How often each took something that was good, so that nobody can say they refuse everything. */
export const taken = new Map<string, number>();
export const refused = new Map<string, number>();

/** Shows everything that was ever given out to everybody who takes it. */
export async function lookAround(run: Run): Promise<void> {
  for (const one of run.credentials) {
    for (const verifier of VERIFIERS) {
      if (verifier.takes.includes(one.kind)) await show(run, verifier, one);
    }
    if (!run.tested.has(one.value)) await showElsewhere(run, one);
  }
  await lookIntoDatabase(run);
}

async function show(run: Run, verifier: Verifier, one: Credential): Promise<void> {
  const { house } = run;
  const isOthers = verifier.only !== undefined && verifier.only !== one.app;
  const app = house.apps[verifier.asker ?? appOf(verifier) ?? "shop"];
  const good = await verifier.asks(house, app, one.value, "");
  const why = isOthers ? "another application's" : whyNot(run, one, verifier.asker);
  count(good ? taken : refused, verifier.name);
  if (good && why !== null) run.breaches.push(`${verifier.name} takes a ${one.kind}: ${why}`);
}

const appOf = ({ name }: Verifier): AppName | undefined =>
  (["shop", "vault"] as const).find((app) => name.includes(app));

/** What is new is shown once to everybody who takes something else, and to the other tenant. */
async function showElsewhere(run: Run, one: Credential): Promise<void> {
  const { house } = run;
  run.tested.add(one.value);
  for (const verifier of VERIFIERS) {
    const name = verifier.asker ?? appOf(verifier) ?? "shop";
    if (!verifier.takes.includes(one.kind) && (await verifier.asks(house, house.apps[name], one.value, ""))) {
      run.breaches.push(`${verifier.name} takes a ${one.kind}`);
    }
    if (await verifier.asks(house, house.foreign[name], one.value, "/t/other")) {
      run.breaches.push(`${verifier.name} of another tenant takes a ${one.kind}`);
    }
  }
}

/** What the server itself believes: no sign-in that nobody knows of, none that has ended, and none that says too much. */
async function lookIntoDatabase(run: Run): Promise<void> {
  const { database } = run.house.server.database;
  const now = run.house.server.clock.now();
  const rows = await database.query<{ id: string; parentId: string | null; amr: string[] }>(
    `select id, parent_id as "parentId", amr from sessions
      where user_id = $1 and revoked_at is null and expires_at > $2`,
    [run.victim.id, now],
  );
  for (const { id, parentId, amr } of rows) {
    const root = run.roots.get(parentId ?? id);
    if (!root) run.breaches.push("a session that nobody was given");
    else if (root.ended !== null) run.breaches.push(`the database has a live session: ${root.ended}`);
    else if (amr.includes("mfa") && !root.proofs.has("totp")) {
      run.breaches.push("a session says that it has two factors");
    } else if (!isEnough(run, null, root.proofs)) run.breaches.push("a session without the required factors");
  }
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
