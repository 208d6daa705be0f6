import { IdentityError } from "@ostiary/contracts";
import type { SoftwareAuthenticator } from "../../../testing/software-authenticator.ts";
import type { Step } from "../index.ts";
import type { SignIns } from "./a-sign-in.ts";

type PasskeyOptions = Parameters<SoftwareAuthenticator["get"]>[0];

/** What a proof is worth. `mail` is a code or link that came to the mailbox. */
export type Kind =
  | "password"
  | "mail"
  | "passkey"
  | "verified-passkey"
  | "totp"
  | "recovery-code"
  | "enrolled";

/** Somebody with everything that he can sign in with. */
export interface Person {
  id: string;
  name: string;
  email: string;
  password: string;
  totp: string | null;
  passkey: SoftwareAuthenticator | null;
  recoveryCodes: string[];
}

/** The way into the server that is explored. */
export interface Door {
  begin(browser: string): Promise<{ id: string; secret: string }>;
  /** Throws `IdentityError`. */
  take(key: FlowKey, step: Step, input: object): Promise<Taken>;
  passkeyOptions(key: FlowKey): Promise<PasskeyOptions>;
  beginTotp(key: FlowKey): Promise<{ id: string; secret: string }>;
  finish(key: FlowKey): Promise<{ userId: string }>;
}

export interface FlowKey {
  id: string;
  secret: string;
}

export interface Taken {
  state: string;
  /** Whether the answer gave a session. */
  session: boolean;
}

/** A browser with a flow, and what the explorer knows was proven in it. */
export interface Device {
  key: FlowKey;
  state: string;
  /** Whose secrets were shown. */
  who: "nobody" | "victim" | "thief";
  proofs: Set<Kind>;
  /** How it began, when that asks for a new password in the end. */
  recovers: boolean;
  newPassword: boolean;
  finished: number;
  /** The code and the link that came because of this flow. */
  code: string | null;
  link: string | null;
  assertion: unknown;
}

export interface Run {
  signIns: SignIns;
  door: Door;
  devices: [Device, Device];
  victim: Person;
  thief: Person;
  /** Tokens that were accepted. */
  used: Set<string>;
  expired: boolean;
  /** What the policy asks, said apart from the code that is tested. */
  asksSecond: boolean;
  hadSecond: boolean;
  breaches: string[];
  lastTotp: string | null;
}

export function aDevice(key: FlowKey): Device {
  return {
    key,
    state: "identifier",
    who: "nobody",
    proofs: new Set(),
    recovers: false,
    newPassword: false,
    finished: 0,
    code: null,
    link: null,
    assertion: null,
  };
}

export interface Proof {
  who?: "victim" | "thief";
  kind?: Kind;
  /** Accepted once at most. */
  token?: string;
}

/** Whether what was shown is as much as is asked, by the words of the policy and not by those of the code. */
export function isEnough(run: Run, device: Device): boolean {
  const { proofs } = device;
  const has = (...kinds: Kind[]) => kinds.some((kind) => proofs.has(kind));
  const first = has("password", "mail", "passkey", "verified-passkey");
  // A code by mail is a second factor after a password, and a first one otherwise.
  const second =
    has("totp", "recovery-code", "enrolled") ||
    (has("password", "mail") && has("passkey")) ||
    (has("password") && has("mail"));
  const twoKinds = second || has("verified-passkey");
  const asked = device.who === "victim" ? run.asksSecond : false;
  return first && (!asked || twoKinds) && (!device.recovers || device.newPassword);
}

/** One attempt: what it must not do is noted, whoever makes it. */
export async function attempt(
  run: Run,
  device: Device,
  proof: Proof,
  work: () => Promise<Taken>,
): Promise<Taken | undefined> {
  try {
    const taken = await work();
    if (run.expired) run.breaches.push("an expired flow went on");
    if (proof.token !== undefined) {
      if (run.used.has(proof.token)) run.breaches.push("something that works once worked twice");
      run.used.add(proof.token);
    }
    if (proof.who) {
      if (device.who !== "nobody" && device.who !== proof.who) run.breaches.push("two people in one flow");
      device.who = proof.who;
    }
    if (proof.kind) device.proofs.add(proof.kind);
    arrive(run, device, taken);
    return taken;
  } catch (error) {
    if (error instanceof IdentityError) return undefined;
    throw error;
  }
}

function arrive(run: Run, device: Device, { state, session }: Taken): void {
  if (state === "new-password" && device.proofs.size === 0) run.breaches.push("a new password for nobody");
  device.state = state;
  if (state === "authenticated" || session) {
    if (!isEnough(run, device)) run.breaches.push("a session without the required factors");
    device.finished++;
    if (device.finished > 1) run.breaches.push("a flow made two sessions");
  }
}

/** Somebody else's token, one from another flow, or an old one: whatever it is, it proves nothing. */
export async function mustFail(run: Run, what: string, work: () => Promise<unknown>): Promise<void> {
  const failed = await work().then(
    () => false,
    (error: unknown) => {
      if (error instanceof IdentityError) return true;
      throw error;
    },
  );
  if (!failed) run.breaches.push(what);
}

/** Only one of two at the same time. */
export async function twice(
  run: Run,
  device: Device,
  proof: Proof,
  work: () => Promise<Taken>,
): Promise<void> {
  const both = await Promise.allSettled([work(), work()]);
  for (const one of both) {
    if (one.status === "rejected" && !(one.reason instanceof IdentityError)) throw one.reason;
  }
  const done = both.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  if (done.length > 1) run.breaches.push("two at the same time both went on");
  const [first] = done;
  if (first) await attempt(run, device, proof, async () => first);
}
