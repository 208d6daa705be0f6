import { beginTotp, confirmTotp } from "../../../packages/server/src/domain/credentials/index.ts";
import { revokeSessionsOfUser } from "../../../packages/server/src/domain/sessions/index.ts";
import { findTenantById } from "../../../packages/server/src/domain/tenants/index.ts";
import { createUser } from "../../../packages/server/src/domain/users/index.ts";
import { type Visit, Visitor } from "../../../packages/server/src/pages/testing/visitor.ts";
import { shownByApp } from "../../../packages/server/src/testing/authenticator-app.ts";
import { contextOf } from "../../../packages/server/src/testing/test-deps.ts";
import type { AppName, Call, House, Reply, Rules } from "./house.ts";

/** What was shown on the way; `vouched`: an application's word alone. */
export type Proof = "password" | "mail" | "totp" | "vouched";

export interface Person {
  id: string;
  username: string;
  email: string;
  password: string;
  totp: string;
}

/** A sign-in, as whoever watches from outside knows it. */
export interface Root {
  id: string;
  proofs: Set<Proof>;
  /** Why it has ended; null: it has not. */
  ended: string | null;
  /** Of Zibanu's services, where a person has one at a time. */
  zibanu: boolean;
}

export type Kind = "cookie" | "code" | "access" | "refresh" | "ticket" | "gateway" | "sliding";

/** Something that somebody could show. */
export interface Credential {
  kind: Kind;
  value: string;
  root: Root;
  /** For whom it was given out; null: for no application. */
  app: AppName | null;
  /** What was issued from one code ends together. */
  family: { ended: string | null };
  /** Why it is worth nothing by itself, as it was used up. */
  spent: string | null;
  idToken: string;
}

/** A sign-in on the pages, or by own forms, that is under way. */
export interface Attempt {
  app: AppName | null;
  proofs: Set<Proof>;
  /** The protocol asked for a new sign-in, or for two factors. */
  fresh: boolean;
  two: boolean;
}

/** A browser. */
export interface Device {
  visitor: Visitor;
  page: Visit | null;
  last: { page: Visit; fields: Record<string, string> } | null;
  cookie: string | undefined;
  ticket: string | undefined;
  /** Of the page that is shown. */
  asked: Pick<Attempt, "app" | "fresh" | "two">;
}

export interface Run {
  house: House;
  rules: Rules;
  victim: Person;
  devices: [Device, Device];
  roots: Map<string, Root>;
  credentials: Credential[];
  /** By the flow's id. */
  attempts: Map<string, Attempt>;
  /** The flow in an application's own forms. */
  own: { id: string; secret: string; state: string } | null;
  mailed: { zibanu: string | null; link: string | null; own: string | null; page: string | null };
  suspended: boolean;
  changes: number;
  /** Codes and links that were mailed so long ago that they are good no more. */
  over: Set<string>;
  breaches: string[];
  /** Whether anything was sent since the last look. */
  touched: boolean;
  /** Values that were shown to everybody who takes something else. */
  tested: Set<string>;
  /** On a way that was looked at before: nobody is shown anything. */
  quiet: boolean;
}

let people = 0;

export async function aPerson({ server }: House): Promise<Person> {
  const { deps, tenantId, clock } = server;
  const context = contextOf(tenantId);
  const username = `walker${++people}`;
  const email = `${username}@example.com`;
  const password = "correct horse battery staple";
  const input = { username, email, emailVerified: true, password: { plain: password } };
  const { id } = await createUser(deps, context, input);
  const tenant = await findTenantById(deps, tenantId);
  if (!tenant) throw new Error("no tenant");
  const begun = await beginTotp(deps, context, tenant, id);
  const given = { id: begun.id, code: shownByApp(begun.secret, clock.now()) };
  await deps.database.transaction((tx) => confirmTotp(deps, tx, context, tenant, id, given));
  return { id, username, email, password, totp: begun.secret };
}

/** The same person again, as if nothing had been: much cheaper than another one. */
export async function cleared({ server }: House, { id }: Person): Promise<void> {
  await revokeSessionsOfUser(server.deps, contextOf(server.tenantId), id, { reason: "the next walk" });
}

function aDevice({ server }: House): Device {
  const asked = { app: null, fresh: false, two: false };
  const visitor = new Visitor(server.app);
  return { visitor, page: null, last: null, cookie: undefined, ticket: undefined, asked };
}

export function aRun(house: House, rules: Rules, victim: Person): Run {
  return {
    house,
    rules,
    victim,
    devices: [aDevice(house), aDevice(house)],
    roots: new Map(),
    credentials: [],
    attempts: new Map(),
    own: null,
    mailed: { zibanu: null, link: null, own: null, page: null },
    suspended: false,
    changes: 0,
    over: new Set(),
    breaches: [],
    touched: false,
    tested: new Set(),
    quiet: false,
  };
}

/** Whether what was shown is enough for an application (null: for none), by the words of the policy. */
export function isEnough({ rules }: Run, app: AppName | null, proofs: ReadonlySet<Proof>): boolean {
  const first = proofs.has("password") || proofs.has("mail") || proofs.has("vouched");
  return first && (!(rules.asks || app === "vault") || proofs.has("totp"));
}

/** Why a credential must be worth nothing, asked by whom; null: it may be good. */
export function whyNot(run: Run, one: Credential, asker: AppName | null): string | null {
  if (run.suspended) return "the person is suspended";
  if (one.root.ended !== null) return one.root.ended;
  if (one.family.ended !== null) return one.family.ended;
  if (one.spent !== null) return one.spent;
  for (const app of [one.app, asker]) {
    if (!isEnough(run, app, one.root.proofs)) return `${app ?? "the tenant"} asks for more`;
  }
  return null;
}

export function aRoot(run: Run, id: string, proofs: Iterable<Proof>, zibanu = false): Root {
  const root: Root = { id, proofs: new Set(proofs), ended: null, zibanu };
  if (run.roots.has(id)) run.breaches.push("a session was given out a second time");
  run.roots.set(id, root);
  return root;
}

export function keep(
  run: Run,
  kind: Kind,
  value: string,
  root: Root,
  app: AppName | null,
  more: Partial<Pick<Credential, "family" | "idToken">> = {},
): Credential {
  const one = { kind, value, root, app, family: { ended: null }, spent: null, idToken: "", ...more };
  const why = run.suspended || root.ended !== null ? "of a sign-in that has ended" : null;
  if (why !== null) run.breaches.push(`a new ${kind} ${why}`);
  if (!isEnough(run, app, root.proofs))
    run.breaches.push(`a ${kind} for ${app} without the required factors`);
  run.credentials.push(one);
  return one;
}

/** The newest one of a kind, also one that is used up when `spent`. */
export function newest(run: Run, kind: Kind, app?: AppName | null, spent = false): Credential | undefined {
  return run.credentials.findLast(
    (one) => one.kind === kind && (app === undefined || one.app === app) && (spent || one.spent === null),
  );
}

/** Somebody chose a new password: whoever knew the old one has nothing any more. */
export function passwordChanged(run: Run, password: string, keeps?: Root): void {
  run.victim.password = password;
  run.changes++;
  for (const root of run.roots.values()) if (root !== keeps) root.ended ??= "the password was changed";
  for (const { proofs } of run.attempts.values()) proofs.delete("password");
}

/** The next one, half a minute later: no code is taken twice. */
export function shown({ house, victim }: Run): string {
  house.server.clock.advance(30);
  return shownByApp(victim.totp, house.server.clock.now());
}

export function situationOf(run: Run): string {
  const of = ({ page, cookie, ticket, last }: Device) => [
    page ? stateOf(page) : "",
    page ? attemptText(run, flowOf(page)) : "",
    cookie !== undefined,
    ticket !== undefined,
    last !== null,
  ];
  const credentials = run.credentials.map(
    (one) => `${one.kind} ${one.app} ${[...one.root.proofs].sort()} ${whyNot(run, one, null) === null}`,
  );
  const own = run.own && [run.own.state, attemptText(run, run.own.id)];
  const { mailed, suspended, changes, over } = run;
  const mails = Object.values(mailed).map((one) => one !== null && (over.has(one) ? "over" : "good"));
  return JSON.stringify([
    run.devices.map(of),
    [...new Set(credentials)].sort(),
    own,
    mails,
    suspended,
    changes > 0,
  ]);
}

function attemptText({ attempts }: Run, id: string): string {
  const one = attempts.get(id);
  return one ? `${one.app} ${[...one.proofs].sort()} ${one.fresh} ${one.two}` : "";
}

export function flowOf({ body }: Visit): string {
  return /name="flow" value="([0-9a-f]{24})"|flow=([0-9a-f]{24})/.exec(body)?.slice(1).find(Boolean) ?? "";
}

/** What the page asks for, by the fields of its form. */
function stateOf({ body }: Visit): string {
  if (!body.includes('<form method="post"')) return "no form";
  const fields = ["identifier", "password", "passwordAgain", "code", "decision"];
  return fields.filter((name) => body.includes(`name="${name}"`)).join(" ");
}

/** A program's call; after it everything is looked at. */
export function call(run: Run, url: string, how: Call): Promise<Reply> {
  run.touched = true;
  return run.house.call("POST", url, how);
}
