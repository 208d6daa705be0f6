import { suspendUser } from "../../../packages/server/src/domain/users/index.ts";
import { contextOf } from "../../../packages/server/src/testing/test-deps.ts";
import { ABSOLUTE, type AppName, ORIGIN, type Reply, textAt } from "./house.ts";
import {
  aRoot,
  type Credential,
  call,
  keep,
  newest,
  type Proof,
  passwordChanged,
  type Run,
  shown,
  whyNot,
} from "./ledger.ts";
import { CHALLENGE, huaceHeaders } from "./verifiers.ts";

const WAY = { origin: ORIGIN };
const good = ({ status }: Reply) => status < 300;

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
  if (run.over.has(mailed.zibanu ?? mailed.link ?? ""))
    run.breaches.push("a reset of Zibanu's worked after its time");
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

/** What is done without our pages: by huace's calls, an application's own forms, Zibanu's services and administrators. */
export const BY_PROGRAMS: Record<string, (run: Run) => Promise<void>> = {
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
    for (const one of Object.values(run.mailed)) if (one !== null) run.over.add(one);
    for (const root of run.roots.values()) root.ended ??= "its time is over";
    for (const one of run.credentials) one.spent ??= "its time is over";
    for (const { proofs } of run.attempts.values()) proofs.clear();
  },
};
