import { suspendUser } from "../../../packages/server/src/domain/users/index.ts";
import { contextOf } from "../../../packages/server/src/testing/test-deps.ts";
import { ABSOLUTE, type App, type AppName, at, basic, ORIGIN, type Reply, textAt } from "./house.ts";
import {
  aRoot,
  type Credential,
  keep,
  newest,
  type Proof,
  passwordChanged,
  type Root,
  type Run,
  shown,
  whyNot,
} from "./ledger.ts";
import { CHALLENGE, GATEWAY, gatewayHeader, huaceHeaders, ssmHeaders, VERIFIER } from "./verifiers.ts";

const WAY = { origin: ORIGIN };
const good = ({ status }: Reply) => status < 300;

function call(run: Run, url: string, how: Parameters<Run["house"]["call"]>[2]): Promise<Reply> {
  run.touched = true;
  return run.house.call("POST", url, how);
}

/* ---------- OpenID Connect's token endpoint ---------- */

const credentialsOf = (app: App): { headers: Record<string, string>; form: Record<string, string> } =>
  app.name === "phone" ? { headers: {}, form: { client_id: app.id } } : { headers: basic(app), form: {} };

function redemption(run: Run, code: Credential, app: App, verifier = VERIFIER): Promise<Reply> {
  const { headers, form } = credentialsOf(app);
  const redirect = code.app === "phone" ? {} : { redirect_uri: `${ORIGIN}/${code.app}` };
  const grant = { grant_type: "authorization_code", code: code.value, code_verifier: verifier };
  return call(run, "/oauth/token", { headers, form: { ...form, ...redirect, ...grant } });
}

function rotation(run: Run, { value }: Credential, app: App): Promise<Reply> {
  const { headers, form } = credentialsOf(app);
  return call(run, "/oauth/token", {
    headers,
    form: { ...form, grant_type: "refresh_token", refresh_token: value },
  });
}

const refreshBySsm = (run: Run, { value }: Credential, app: App) =>
  call(run, "/blueking/api/v1/auth/access-tokens/refresh", {
    headers: ssmHeaders(app),
    json: { refresh_token: value },
  });

/** The tokens of an answer, whichever endpoint gave it. */
function keepTokens(run: Run, reply: Reply, root: Root, app: AppName, family: Credential["family"]): void {
  const body = "access_token" in reply.body ? reply.body : at(reply.body, "data");
  const token = textAt(body, "access_token");
  if (token === "") return;
  keep(run, "access", token, root, app, { family, idToken: textAt(body, "id_token") });
  const refresh = textAt(body, "refresh_token");
  if (refresh !== "") keep(run, "refresh", refresh, root, app, { family });
}

const gotTokens = (reply: Reply) =>
  textAt(reply.body, "access_token") !== "" || textAt(reply.body, "data", "access_token") !== "";

/** Something that works once: what of it was a breach, and what is left of it. */
function used(run: Run, one: Credential, reply: Reply, what: string): void {
  if (!gotTokens(reply)) return;
  const why = whyNot(run, one, null);
  if (why !== null) run.breaches.push(`${what}: ${why}`);
  one.spent ??= `the ${one.kind} was used`;
  if (one.app) keepTokens(run, reply, one.root, one.app, one.family);
}

async function redeem(run: Run, app: AppName): Promise<void> {
  const code = newest(run, "code", app);
  if (code) used(run, code, await redemption(run, code, run.house.apps[app]), "a code was redeemed");
}

/** A code that was used is shown again: it is stolen, and all that came from it ends. */
async function redeemAgain(run: Run): Promise<void> {
  const code = run.credentials.findLast(({ kind, spent }) => kind === "code" && spent !== null);
  if (!code?.app) return;
  if (gotTokens(await redemption(run, code, run.house.apps[code.app]))) {
    run.breaches.push("a code was redeemed twice");
  }
  code.family.ended ??= "its code was shown twice";
}

async function redeemTwice(run: Run, app: AppName): Promise<void> {
  const code = newest(run, "code", app);
  if (!code) return;
  const application = run.house.apps[app];
  const both = await Promise.all([redemption(run, code, application), redemption(run, code, application)]);
  await onlyOne(run, code, both, "a code was redeemed");
}

/** Of two at once one gets something at most, and as nobody knows which was the thief, it is worth nothing. */
async function onlyOne(run: Run, one: Credential, both: Reply[], what: string): Promise<void> {
  const won = both.filter(gotTokens);
  if (won.length > 1) run.breaches.push(`${what} twice at once`);
  for (const reply of won) used(run, one, reply, what);
  if (one.kind === "code" && won.length > 0) one.family.ended ??= "its code was shown twice";
}

async function redeemWrongly(run: Run): Promise<void> {
  const { apps } = run.house;
  const code = newest(run, "code");
  if (!code?.app) return;
  const other = code.app === "vault" ? apps.shop : apps.vault;
  const tries = [redemption(run, code, other), redemption(run, code, apps[code.app], "x".repeat(43))];
  for (const reply of await Promise.all(tries)) {
    if (gotTokens(reply)) run.breaches.push("a code was redeemed by whoever did not ask for it");
  }
}

async function refresh(run: Run, app: AppName): Promise<void> {
  const token = newest(run, "refresh", app);
  if (token) used(run, token, await rotation(run, token, run.house.apps[app]), "a token was refreshed");
}

async function refreshAgain(run: Run): Promise<void> {
  const token = run.credentials.findLast(({ kind, spent }) => kind === "refresh" && spent !== null);
  if (!token?.app) return;
  if (gotTokens(await rotation(run, token, run.house.apps[token.app]))) {
    run.breaches.push("a refresh token worked twice");
  }
  token.family.ended ??= "a refresh token of it was shown twice";
}

/** At OpenID Connect and at BlueKing's token service. */
async function refreshTwice(run: Run): Promise<void> {
  const token = newest(run, "refresh");
  if (!token?.app || token.app === "phone") return;
  const app = run.house.apps[token.app];
  const both = await Promise.all([rotation(run, token, app), refreshBySsm(run, token, app)]);
  await onlyOne(run, token, both, "a token was refreshed");
}

async function refreshWrongly(run: Run): Promise<void> {
  const token = newest(run, "refresh");
  if (!token) return;
  const other = run.house.apps[token.app === "vault" ? "shop" : "vault"];
  for (const reply of [await rotation(run, token, other), await refreshBySsm(run, token, other)]) {
    if (gotTokens(reply)) run.breaches.push("another application refreshed a token");
  }
}

/** What is shown as a code or a refresh token, and is neither. */
async function mistake(run: Run): Promise<void> {
  const { shop } = run.house.apps;
  for (const one of run.credentials) {
    const replies = [
      one.kind === "code" ? undefined : redemption(run, { ...one, app: "shop" }, shop),
      one.kind === "refresh" ? undefined : rotation(run, one, shop),
      one.kind === "refresh" ? undefined : refreshBySsm(run, one, shop),
      one.kind === "ticket" ? undefined : exchange(run, one.value, shop),
    ];
    for (const reply of await Promise.all(replies)) {
      if (reply && gotTokens(reply))
        run.breaches.push(`a ${one.kind} was exchanged for tokens as something else`);
    }
  }
}

/* ---------- BlueKing's token service and gateway ---------- */

const exchange = (run: Run, ticket: string, app: App) =>
  call(run, "/blueking/api/v1/auth/access-tokens", {
    headers: ssmHeaders(app),
    json: { grant_type: "authorization_code", id_provider: "bk_login", bk_token: ticket },
  });

async function exchangeTicket(run: Run, app: AppName): Promise<void> {
  const ticket = newest(run, "ticket");
  if (!ticket) return;
  const reply = await exchange(run, ticket.value, run.house.apps[app]);
  if (!gotTokens(reply)) return;
  const why = whyNot(run, ticket, app);
  if (why !== null) run.breaches.push(`a ticket was exchanged for a token: ${why}`);
  keepTokens(run, reply, ticket.root, app, { ended: null });
}

/** With a ticket, or an access token of the very application. */
async function gateway(run: Run, by: "ticket" | "access", app: AppName): Promise<void> {
  const proof = newest(run, by);
  if (!proof) return;
  const shownAs = by === "ticket" ? { bk_token: proof.value } : { access_token: proof.value };
  const headers = gatewayHeader(run.house.apps[app], shownAs);
  const jwt = textAt((await call(run, GATEWAY, { headers })).body, "data", "jwt");
  if (jwt === "") return;
  const why = by === "access" && proof.app !== app ? "another application's" : whyNot(run, proof, app);
  if (why !== null) run.breaches.push(`a gateway token for a worthless ${by}: ${why}`);
  keep(run, "gateway", jwt, proof.root, app, { family: proof.family });
}

/* ---------- huace ---------- */

async function vouch(run: Run, app: AppName): Promise<void> {
  const { house, victim } = run;
  const how = {
    json: { username: victim.username, expiresIn: 3_600 },
    headers: huaceHeaders(house.apps[app]),
  };
  const { body } = await call(run, "/huace/sdk/feishu/identity/users/token", how);
  const token = textAt(body, "data", "accessToken");
  if (token === "") return;
  const root = aRoot(run, `vouched ${run.roots.size}`, ["vouched"]);
  keep(run, "access", token, root, app);
}

/* ---------- API v1 ---------- */

async function signInByApi(run: Run, app: AppName): Promise<void> {
  const { house, victim } = run;
  const { id, secret } = house.apps[app];
  const json = {
    applicationId: id,
    applicationSecret: secret,
    identifier: victim.username,
    password: victim.password,
  };
  const reply = await call(run, "/api/v1/sign-in", { json });
  if (!good(reply)) return;
  const root = aRoot(run, textAt(reply.body, "sessionId"), ["password"]);
  keep(run, "access", textAt(reply.body, "accessToken"), root, app);
}

const FLOWS = "/api/v1/sign-in/flows";

async function beginOwn(run: Run): Promise<void> {
  const json = {
    applicationId: run.house.apps.phone.id,
    scopes: ["openid", "account"],
    codeChallenge: CHALLENGE,
    identifier: run.victim.username,
  };
  const { body } = await call(run, FLOWS, { json });
  const id = textAt(body, "flow", "id");
  run.own = { id, secret: textAt(body, "secret"), state: textAt(body, "flow", "state") };
  run.attempts.set(id, { app: "phone", fresh: false, two: false, proofs: new Set() });
}

async function step(run: Run, name: string, json: object, proof?: Proof): Promise<boolean> {
  const { own } = run;
  if (!own) return false;
  const headers = { "ostiary-flow": own.secret };
  if (proof) run.attempts.get(own.id)?.proofs.add(proof);
  const reply = await call(run, `${FLOWS}/${own.id}/steps/${name}`, { json, headers });
  if (good(reply)) own.state = textAt(reply.body, "flow", "state");
  return good(reply);
}

async function finishOwn(run: Run): Promise<void> {
  const { own } = run;
  if (!own) return;
  const attempt = run.attempts.get(own.id);
  const how = { json: {}, headers: { "ostiary-flow": own.secret } };
  const both = await Promise.all([1, 2].map(() => call(run, `${FLOWS}/${own.id}/finish`, how)));
  const done = both.filter(good);
  if (done.length > 1) run.breaches.push("own forms were finished twice at once");
  for (const { body } of done.slice(0, 1)) {
    const id = textAt(body, "sessionId");
    const root = run.roots.get(id) ?? aRoot(run, id, attempt?.proofs ?? []);
    keep(run, "code", textAt(body, "code"), root, "phone");
  }
}

/** Later the flow knows it. */
const nameIn = ({ own, victim }: Run): object =>
  own?.state === "identifier" ? { identifier: victim.username } : {};

async function mailedCode(run: Run): Promise<string | null> {
  const { house, victim } = run;
  const message = await house.mailbox.newest(house.server.deps, victim.email, /\b\d{6}\b/);
  return /\b(\d{6})\b/.exec(`${message?.subject}\n${message?.text}`)?.[1] ?? null;
}

async function forgetAtOwn(run: Run): Promise<void> {
  run.house.mailbox.sent.length = 0;
  if (await step(run, "start-recovery", nameIn(run))) {
    run.mailed.own = await mailedCode(run);
  }
}

/** The password, and with it a session, is there as soon as this is done. */
async function chooseAtOwn(run: Run): Promise<void> {
  const { own } = run;
  if (own?.state !== "new-password") return;
  const password = `own battery staple ${run.changes}`;
  const proofs = run.attempts.get(own.id)?.proofs ?? new Set<Proof>();
  if (!(await step(run, "choose-password", { password }))) return;
  passwordChanged(run, password);
  noteReset(run, proofs);
  await adopt(run, own.id, proofs);
}

function noteReset(run: Run, proofs: ReadonlySet<Proof>): void {
  if (!proofs.has("mail")) run.breaches.push("a password was forgotten without the mailbox");
  if (run.rules.asks && !proofs.has("totp")) {
    run.breaches.push("a password was forgotten without the second factor");
  }
}

/** Own forms have a session before they are told of it. */
async function adopt(run: Run, flow: string, proofs: Iterable<Proof>): Promise<void> {
  const rows = await run.house.server.database.database.query<{ id: string | null }>(
    `select session_id as id from sign_in_flows where id = $1`,
    [flow],
  );
  const id = rows[0]?.id;
  if (id && !run.roots.has(id)) aRoot(run, id, proofs);
}

async function giveOwn(run: Run, name: string, json: object, proof?: Proof): Promise<void> {
  const { own } = run;
  if (!own || !(await step(run, name, json, proof))) return;
  if (own.state === "authenticated") await adopt(run, own.id, run.attempts.get(own.id)?.proofs ?? []);
}

/** With an access token that is good for the own account. */
async function signOutEverywhere(run: Run): Promise<void> {
  const token = newest(run, "access");
  if (!token) return;
  const headers = { authorization: `Bearer ${token.value}` };
  const reply = await call(run, "/api/v1/me/sessions/revoke", { json: {}, headers });
  if (!good(reply)) return;
  const why = whyNot(run, token, null);
  if (why !== null) run.breaches.push(`API v1 signed somebody out: ${why}`);
  for (const root of run.roots.values()) root.ended ??= "signed out everywhere";
}

/* ---------- Zibanu ---------- */

const slidingHeader = ({ value }: Credential) => ({ ...WAY, authorization: `JWT ${value}` });
const zibanu = (run: Run, path: string, json: object, headers: Record<string, string> = WAY) =>
  call(run, `/zibanu${path}`, { json, headers });

const sessionOf = (token: string): string => {
  const claims: unknown = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString() || "{}");
  return textAt(claims, "jti").slice(0, 24);
};

async function zibanuLogin(run: Run): Promise<void> {
  const { email, password } = run.victim;
  const reply = await zibanu(run, "/login/", { email, password, close: true });
  const token = textAt(reply.body, "token");
  if (token === "") return;
  for (const root of run.roots.values())
    if (root.zibanu) root.ended ??= "another sign-in of Zibanu's closed it";
  keep(run, "sliding", token, aRoot(run, sessionOf(token), ["password"], true), null);
}

/** Of two at once one wins; the old one is worth nothing afterwards. */
async function zibanuRefresh(run: Run, times: number): Promise<void> {
  const old = newest(run, "sliding");
  if (!old) return;
  const all = await Promise.all(
    Array.from({ length: times }, () => zibanu(run, "/refresh/", { token: old.value })),
  );
  const tokens = all.map(({ body }) => textAt(body, "token")).filter((token) => token !== "");
  if (tokens.length > 1) run.breaches.push("a sliding token was refreshed twice at once");
  const why = whyNot(run, old, null);
  for (const token of tokens) {
    if (why !== null) run.breaches.push(`a sliding token was refreshed: ${why}`);
    old.spent = "it was refreshed";
    keep(run, "sliding", token, old.root, null);
  }
}

async function zibanuChange(run: Run): Promise<void> {
  const token = newest(run, "sliding");
  if (!token) return;
  const next = `changed battery staple ${run.changes}`;
  const json = { old_password: run.victim.password, new_password: next };
  if (!good(await zibanu(run, "/change-password/", json, slidingHeader(token)))) return;
  const why = whyNot(run, token, null);
  if (why !== null) run.breaches.push(`Zibanu changed a password: ${why}`);
  passwordChanged(run, next, run.rules.zibanu === "1.1" ? token.root : undefined);
}

async function zibanuLogout(run: Run): Promise<void> {
  const token = newest(run, "sliding");
  if (!token || !good(await zibanu(run, "/logout/", {}, slidingHeader(token)))) return;
  token.root.ended ??= "signed out by Zibanu";
}

/** The newer release mails a code, the older one a link. */
async function zibanuForgets(run: Run): Promise<void> {
  const { house, victim, rules } = run;
  house.mailbox.sent.length = 0;
  await zibanu(run, "/request-password/", { email: victim.email });
  if (rules.zibanu === "3.0") {
    run.mailed.zibanu = (await mailedCode(run)) ?? run.mailed.zibanu;
    return;
  }
  for (let turn = 0; turn < 20; turn++) {
    const message = await house.mailbox.newest(house.server.deps, victim.email, /token=/);
    run.mailed.link = /token=([\w-]+)/.exec(message?.text ?? "")?.[1] ?? run.mailed.link;
    if (message) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** What came by mail, and a new password; twice at once, as the second must not work. */
async function zibanuReset(run: Run): Promise<void> {
  const { mailed, victim } = run;
  const passwords = [1, 2].map((n) => `reset battery staple ${run.changes} ${n}`);
  const attempt = async (password: string) => {
    if (mailed.zibanu !== null) {
      const json = { email: victim.email, code: mailed.zibanu, new_password: password };
      return good(await zibanu(run, "/request-password/", json));
    }
    const form = { token: mailed.link ?? "", password };
    return good(await call(run, "/zibanu/password/", { form }));
  };
  if (mailed.zibanu === null && mailed.link === null) return;
  const both = await Promise.all(passwords.map(attempt));
  const won = passwords.filter((_, index) => both[index]);
  if (won.length > 1) run.breaches.push("a reset of Zibanu's worked twice at once");
  const [password] = won;
  if (password === undefined) return;
  if (run.waited) run.breaches.push("a reset of Zibanu's worked after its time");
  Object.assign(mailed, { zibanu: null, link: null });
  passwordChanged(run, password);
  noteReset(run, new Set(["mail"]));
}

/** Each code at the entrance that has not sent it, and both at once at the right ones. */
async function swapCodes(run: Run): Promise<void> {
  const { mailed, victim, own } = run;
  if (mailed.zibanu === null || mailed.own === null || own?.state !== "recovery") return;
  if (mailed.zibanu === mailed.own) return;
  if (await step(run, "give-code", { code: mailed.zibanu }))
    run.breaches.push("own forms took a code of Zibanu's");
  const json = { email: victim.email, code: mailed.own, new_password: "swapped battery staple" };
  if (good(await zibanu(run, "/request-password/", json)))
    run.breaches.push("Zibanu took a code of own forms'");
}

async function bothResets(run: Run): Promise<void> {
  if (run.mailed.zibanu === null || run.mailed.own === null || run.own?.state !== "recovery") return;
  await Promise.all([giveOwn(run, "give-code", { code: run.mailed.own }, "mail"), zibanuReset(run)]);
}

/* ---------- everything together ---------- */

export const BY_PROGRAMS: Record<string, (run: Run) => Promise<void>> = {
  "redeem shop's code": (run) => redeem(run, "shop"),
  "redeem vault's code": (run) => redeem(run, "vault"),
  "redeem phone's code": (run) => redeem(run, "phone"),
  "redeem a used code": redeemAgain,
  "redeem a code twice at once": (run) => redeemTwice(run, newest(run, "code")?.app ?? "shop"),
  "redeem a code as somebody else": redeemWrongly,
  "refresh shop's token": (run) => refresh(run, "shop"),
  "refresh vault's token": (run) => refresh(run, "vault"),
  "refresh a used token": refreshAgain,
  "refresh a token at two entrances at once": refreshTwice,
  "refresh a token as somebody else": refreshWrongly,
  "exchange what is something else": mistake,
  "exchange the ticket for shop": (run) => exchangeTicket(run, "shop"),
  "exchange the ticket for vault": (run) => exchangeTicket(run, "vault"),
  "a gateway token for shop with the ticket": (run) => gateway(run, "ticket", "shop"),
  "a gateway token for vault with the ticket": (run) => gateway(run, "ticket", "vault"),
  "a gateway token for shop with a token": (run) => gateway(run, "access", "shop"),
  "a gateway token for vault with a token": (run) => gateway(run, "access", "vault"),
  "shop vouches": (run) => vouch(run, "shop"),
  "vault vouches": (run) => vouch(run, "vault"),
  "sign in at shop by API": (run) => signInByApi(run, "shop"),
  "sign in at vault by API": (run) => signInByApi(run, "vault"),
  "own forms: begin": beginOwn,
  "own forms: give the password": (run) =>
    giveOwn(run, "give-password", { ...nameIn(run), password: run.victim.password }, "password"),
  "own forms: give what the app shows": (run) =>
    run.own?.state === "second-factor"
      ? giveOwn(run, "give-totp", { code: shown(run) }, "totp")
      : Promise.resolve(),
  "own forms: forget the password": forgetAtOwn,
  "own forms: give the mailed code": (run) =>
    run.mailed.own === null ? Promise.resolve() : giveOwn(run, "give-code", { code: run.mailed.own }, "mail"),
  "own forms: choose a password": chooseAtOwn,
  "own forms: finish twice at once": finishOwn,
  "sign out everywhere by API": signOutEverywhere,
  "Zibanu: sign in": zibanuLogin,
  "Zibanu: refresh": (run) => zibanuRefresh(run, 1),
  "Zibanu: refresh twice at once": (run) => zibanuRefresh(run, 2),
  "Zibanu: change the password": zibanuChange,
  "Zibanu: sign out": zibanuLogout,
  "Zibanu: forget the password": zibanuForgets,
  "Zibanu: reset the password twice at once": zibanuReset,
  "give each mailed code at the other entrance": swapCodes,
  "reset at Zibanu and in own forms at once": bothResets,
  "an administrator suspends": async (run) => {
    const { deps, tenantId } = run.house.server;
    if (run.suspended) return;
    run.touched = true;
    await suspendUser(deps, contextOf(tenantId), run.victim.id);
    run.suspended = true;
  },
  "wait until everything is over": async (run) => {
    run.touched = true;
    run.house.server.clock.advance(ABSOLUTE + 3_600);
    run.waited = true;
    for (const root of run.roots.values()) root.ended ??= "its time is over";
    for (const one of run.credentials) one.spent ??= "its time is over";
    for (const { proofs } of run.attempts.values()) proofs.clear();
  },
};
