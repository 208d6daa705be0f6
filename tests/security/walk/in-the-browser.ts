import type { Visit } from "../../../packages/server/src/pages/testing/visitor.ts";
import { type AppName, ORIGIN } from "./house.ts";
import {
  type Attempt,
  aRoot,
  type Credential,
  type Device,
  flowOf,
  keep,
  type Proof,
  passwordChanged,
  type Root,
  type Run,
  shown,
} from "./ledger.ts";
import { authorize } from "./verifiers.ts";

const SESSION = "ostiary_session";
const FORM = '<form method="post"';

type Asked = Device["asked"];
const plain = (app: AppName | null): Asked => ({ app, fresh: false, two: false });

const blueking = (app: AppName) => {
  const query = new URLSearchParams({ c_url: `${ORIGIN}/x`, app_code: app });
  return `/blueking/login/?${query}`;
};

/** What an address leads to, as a person or an application opens it. */
export const ADDRESSES: Record<string, (run: Run) => { url: string; asked: Asked }> = {
  "shop by OpenID Connect": ({ house: { apps } }) => ({
    url: authorize("", apps.shop),
    asked: plain("shop"),
  }),
  "vault by OpenID Connect": ({ house: { apps } }) => ({
    url: authorize("", apps.vault),
    asked: plain("vault"),
  }),
  "shop with prompt=login": ({ house: { apps } }) => ({
    url: authorize("", apps.shop, { prompt: "login" }),
    asked: { app: "shop", fresh: true, two: false },
  }),
  "shop with max_age=0": ({ house: { apps } }) => ({
    url: authorize("", apps.shop, { max_age: "0" }),
    asked: { app: "shop", fresh: true, two: false },
  }),
  "shop with two factors": ({ house: { apps } }) => ({
    url: authorize("", apps.shop, { acr_values: "urn:ostiary:acr:2" }),
    asked: { app: "shop", fresh: false, two: true },
  }),
  "shop by BlueKing": () => ({ url: blueking("shop"), asked: plain("shop") }),
  "vault by BlueKing": () => ({ url: blueking("vault"), asked: plain("vault") }),
  "the account": () => ({ url: "/account", asked: plain(null) }),
};

export async function open(run: Run, device: Device, name: string): Promise<void> {
  const address = ADDRESSES[name]?.(run);
  if (!address) throw new RangeError(name);
  run.touched = true;
  device.asked = address.asked;
  await arrive(run, device, await device.visitor.open(address.url), undefined);
}

/** Sends the form of the page that is shown, or of one that was. */
async function submit(
  run: Run,
  device: Device,
  page: Visit,
  fields: Record<string, string>,
  proof?: Proof,
): Promise<Visit> {
  run.touched = true;
  const attempt = run.attempts.get(flowOf(page));
  if (proof) attempt?.proofs.add(proof);
  device.last = { page, fields };
  const visit = await device.visitor.follow(device.visitor.submit(page, fields));
  await arrive(run, device, visit, attempt);
  return visit;
}

/** What the browser was given, and where it has come to. */
async function arrive(run: Run, device: Device, visit: Visit, attempt: Attempt | undefined): Promise<void> {
  if (visit.status >= 500) throw new Error(`a page answered ${visit.status}`);
  noteCookie(run, device, attempt);
  const root = rootOf(run, device);
  noteTicket(run, device, root);
  const app = (["shop", "vault"] as const).find((name) => visit.location.startsWith(`${ORIGIN}/${name}?`));
  const code = new URLSearchParams(visit.location.split("?", 2)[1]).get("code");
  if (app && code !== null) noteCode(run, { device, root, app, code, attempt });
  const flow = flowOf(visit);
  device.page = visit.body.includes(FORM) ? visit : null;
  if (flow !== "" && !run.attempts.has(flow)) run.attempts.set(flow, { ...device.asked, proofs: new Set() });
}

function noteCookie(run: Run, device: Device, attempt: Attempt | undefined): void {
  const cookie = device.visitor.cookies.get(SESSION);
  if (cookie === device.cookie) return;
  const before = rootOf(run, device);
  const old = run.credentials.find(({ kind, value }) => kind === "cookie" && value === device.cookie);
  device.cookie = cookie;
  if (old) old.spent ??= "the cookie was replaced";
  if (cookie === undefined) return;
  const id = cookie.slice(0, 24);
  let root = run.roots.get(id);
  if (root && root !== before) run.breaches.push("a browser was given another one's session");
  if (root?.ended) run.breaches.push(`a session came back: ${root.ended}`);
  if (before && before !== root) before.ended ??= "another sign-in took its place";
  root ??= aRoot(run, id, []);
  for (const proof of attempt?.proofs ?? []) root.proofs.add(proof);
  keep(run, "cookie", cookie, root, null);
}

function rootOf(run: Run, { cookie }: Device): Root | undefined {
  return cookie === undefined ? undefined : run.roots.get(cookie.slice(0, 24));
}

function noteTicket(run: Run, device: Device, root: Root | undefined): void {
  const ticket = device.visitor.cookies.get("bk_token");
  if (ticket === device.ticket) return;
  device.ticket = ticket;
  if (ticket === undefined) return;
  if (root) keep(run, "ticket", ticket, root, null);
  else run.breaches.push("a ticket for nobody");
}

interface NewCode {
  device: Device;
  root: Root | undefined;
  app: AppName;
  code: string;
  attempt: Attempt | undefined;
}

function noteCode(run: Run, { root, app, code, attempt, device }: NewCode): void {
  if (!root) {
    run.breaches.push("a code for nobody");
    return;
  }
  keep(run, "code", code, root, app);
  // Without a form the address itself was answered.
  const { fresh, two } = attempt ?? device.asked;
  if (fresh && !(attempt?.proofs.has("password") || attempt?.proofs.has("mail"))) {
    run.breaches.push("a new sign-in was asked for and not made");
  }
  if (two && !root.proofs.has("totp")) run.breaches.push("two factors were asked for and not given");
}

const hasField = (page: Visit, name: string): boolean => page.body.includes(`name="${name}"`);

export async function givePassword(run: Run, device: Device): Promise<void> {
  const { page } = device;
  if (!page || !hasField(page, "password") || hasField(page, "passwordAgain")) return;
  const { username, password } = run.victim;
  await submit(run, device, page, { identifier: username, password }, "password");
}

export async function giveTotp(run: Run, device: Device): Promise<void> {
  const { page } = device;
  if (!page || !hasField(page, "code") || !page.body.includes("give-totp")) return;
  await submit(run, device, page, { step: "give-totp", code: shown(run) }, "totp");
}

export async function forgetPassword(run: Run, device: Device): Promise<void> {
  const { page } = device;
  if (!page || !(hasField(page, "identifier") || hasField(page, "password"))) return;
  const { house, victim } = run;
  house.mailbox.sent.length = 0;
  await submit(run, device, page, { step: "start-recovery", identifier: victim.username });
  const message = await house.mailbox.newest(house.server.deps, victim.email, /\b\d{6}\b/);
  run.mailed.page = /\b(\d{6})\b/.exec(message?.text ?? "")?.[1] ?? run.mailed.page;
}

export async function giveMailedCode(run: Run, device: Device): Promise<void> {
  const { page } = device;
  const code = run.mailed.page;
  if (!page || !hasField(page, "code") || code === null || !page.body.includes("give-code")) return;
  await submit(run, device, page, { step: "give-code", code }, "mail");
}

export async function choosePassword(run: Run, device: Device): Promise<void> {
  const { page } = device;
  if (!page || !hasField(page, "passwordAgain")) return;
  const password = `another battery staple ${run.changes}`;
  const attempt = run.attempts.get(flowOf(page));
  const proofs = new Set(attempt?.proofs);
  run.touched = true;
  // Told before, as the answer of a success is a session already.
  const before = run.victim.password;
  const ends = [...run.roots.values()].filter(({ ended }) => ended === null);
  passwordChanged(run, password);
  const visit = await submit(run, device, page, { password, passwordAgain: password });
  if (hasField(visit, "passwordAgain") || visit.status >= 400) {
    run.victim.password = before;
    for (const root of ends) root.ended = null;
    return;
  }
  if (!proofs.has("mail")) run.breaches.push("a password was forgotten without the mailbox");
  if (run.rules.asks && !proofs.has("totp"))
    run.breaches.push("a password was forgotten without the second factor");
}

/** The form of before, as the back button sends it. */
export async function sendAgain(run: Run, device: Device): Promise<void> {
  if (device.last) await submit(run, device, device.last.page, device.last.fields);
}

/** Somebody else signs in where the victim did: nothing of the victim may be his. */
export async function thiefSignsIn(run: Run, device: Device, thief: { username: string; password: string }) {
  if (device.cookie === undefined) return;
  run.touched = true;
  const { visitor } = device;
  const page = await visitor.open(authorize("", run.house.apps.shop, { prompt: "login" }));
  await visitor.follow(visitor.submit(page, { identifier: thief.username, password: thief.password }));
  const cookie = visitor.cookies.get(SESSION);
  if (cookie === device.cookie) return;
  const before = rootOf(run, device);
  if (before) before.ended ??= "somebody else took the browser";
  Object.assign(device, { cookie: undefined, ticket: undefined, page: null, last: null });
  device.visitor.cookies.clear();
}

export async function signOut(run: Run, device: Device): Promise<void> {
  const root = rootOf(run, device);
  if (!root) return;
  run.touched = true;
  const page = await device.visitor.open("/sign-out");
  // Whose session has ended otherwise is not asked.
  if (page.body.includes(FORM)) await device.visitor.follow(device.visitor.submit(page, {}));
  left(device, root, "signed out on the page");
}

export async function signOutByBlueking(run: Run, device: Device): Promise<void> {
  const root = rootOf(run, device);
  if (!root) return;
  run.touched = true;
  await device.visitor.open(`/blueking/login/logout/?c_url=${encodeURIComponent(`${ORIGIN}/x`)}`);
  left(device, root, "signed out by BlueKing");
}

/** As an application sends the browser, with the ID token of its sign-in. */
export async function signOutByOidc(run: Run, device: Device): Promise<void> {
  const root = rootOf(run, device);
  const token: Credential | undefined =
    root && run.credentials.findLast((one) => one.root === root && one.idToken);
  if (!root || !token) return;
  run.touched = true;
  const query = new URLSearchParams({ id_token_hint: token.idToken });
  await device.visitor.open(`/oauth/end-session?${query}`);
  left(device, root, "signed out by OpenID Connect");
}

/** The browser has no cookie after it; what it had is kept and shown everywhere. */
function left(device: Device, root: Root, why: string): void {
  if (device.visitor.cookies.has(SESSION)) return; // the page asks first
  root.ended ??= why;
  device.cookie = undefined;
  device.ticket = device.visitor.cookies.get("bk_token");
  device.page = null;
}
