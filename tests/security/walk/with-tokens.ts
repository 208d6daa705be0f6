import { type App, type AppName, at, basic, ORIGIN, type Reply, textAt } from "./house.ts";
import { type Credential, call, keep, newest, type Root, type Run, whyNot } from "./ledger.ts";
import { GATEWAY, gatewayHeader, ssmHeaders, VERIFIER } from "./verifiers.ts";

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

/** What applications do with codes, tokens and tickets, right or wrong. */
export const WITH_TOKENS: Record<string, (run: Run) => Promise<void>> = {
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
};
