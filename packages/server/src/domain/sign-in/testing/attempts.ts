import { IdentityError } from "@ostiary/contracts";
import { newSecret } from "../../../kernel/identifiers.ts";
import type { SoftwareAuthenticator } from "../../../testing/software-authenticator.ts";
import type { Step } from "../index.ts";
import type { SignIns } from "./a-sign-in.ts";
import type { Action } from "./explore.ts";

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

interface Proof {
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
  const second = has("totp", "recovery-code", "enrolled") || (has("password", "mail") && has("passkey"));
  const twoKinds = second || has("verified-passkey");
  const asked = device.who === "victim" ? run.asksSecond : false;
  return first && (!asked || twoKinds) && (!device.recovers || device.newPassword);
}

/** One attempt: what it must not do is noted, whoever makes it. */
async function attempt(
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
async function mustFail(run: Run, what: string, work: () => Promise<unknown>): Promise<void> {
  const failed = await work().then(
    () => false,
    (error: unknown) => {
      if (error instanceof IdentityError) return true;
      throw error;
    },
  );
  if (!failed) run.breaches.push(what);
}

type Try = (run: Run, device: Device, other: Device) => Promise<unknown>;

const take = (run: Run, device: Device, step: Step, input: object) => run.door.take(device.key, step, input);

/** Only one of two at the same time. */
async function twice(run: Run, device: Device, proof: Proof, work: () => Promise<Taken>): Promise<void> {
  const both = await Promise.allSettled([work(), work()]);
  for (const one of both) {
    if (one.status === "rejected" && !(one.reason instanceof IdentityError)) throw one.reason;
  }
  const done = both.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  if (done.length > 1) run.breaches.push("two at the same time both went on");
  const [first] = done;
  if (first) await attempt(run, device, proof, async () => first);
}

async function sent(run: Run, device: Device, step: Step, input: object): Promise<void> {
  const { mailbox, deps } = run.signIns;
  mailbox.sent.length = 0;
  const taken = await attempt(run, device, {}, () => take(run, device, step, input));
  if (!taken) return;
  const message = await mailbox.newest(deps, run.victim.email);
  if (step === "send-link") device.link = /secret=([\w-]+)/.exec(message?.text ?? "")?.[1] ?? null;
  else device.code = /\b\d{6}\b/.exec(message?.text ?? "")?.[0] ?? null;
}

const identifierIn = (run: Run, device: Device) =>
  device.state === "identifier" ? { identifier: run.victim.name } : {};

async function giveCode(run: Run, device: Device, code: string, double = false): Promise<void> {
  const before = device.state;
  const unlocks = before === "unlock";
  const proof: Proof = unlocks ? { token: code } : { who: "victim", kind: "mail", token: code };
  const work = () => take(run, device, "give-code", { code });
  if (before === "recovery") device.recovers = true;
  const reached = device.proofs.size;
  await (double ? twice(run, device, proof, work) : attempt(run, device, proof, work));
  if (before === "recovery" && device.proofs.size === reached) device.recovers = false;
}

async function assertion(run: Run, device: Device, person: Person): Promise<unknown> {
  const options = await run.door.passkeyOptions(device.key);
  try {
    // A thief's device does not mind that his passkey was not asked for.
    return person.passkey?.get(person === run.thief ? { ...options, allowCredentials: [] } : options);
  } catch {
    return undefined; // the device has none that fits
  }
}

const TRIES: Record<string, Try> = {
  "name the victim": (run, device) =>
    attempt(run, device, {}, () => take(run, device, "give-identifier", { identifier: run.victim.name })),
  "name nobody": (run, device) =>
    attempt(run, device, {}, () => take(run, device, "give-identifier", { identifier: "nobody" })),
  "change the name": async (run, device) => {
    const taken = await attempt(run, device, {}, () => take(run, device, "change-identifier", {}));
    if (taken)
      Object.assign(device, { ...aDevice(device.key), state: taken.state, finished: device.finished });
  },
  "give the password": (run, device) =>
    attempt(run, device, { who: "victim", kind: "password" }, () =>
      take(run, device, "give-password", { ...identifierIn(run, device), password: run.victim.password }),
    ),
  "give the password twice at once": (run, device) =>
    twice(run, device, { who: "victim", kind: "password" }, () =>
      take(run, device, "give-password", { ...identifierIn(run, device), password: run.victim.password }),
    ),
  "give a wrong password": (run, device) =>
    mustFail(run, "a wrong password was accepted", () =>
      take(run, device, "give-password", { ...identifierIn(run, device), password: "wrong horse" }),
    ),
  "sign in as the thief": (run, device) =>
    attempt(run, device, { who: "thief", kind: "password" }, () =>
      take(run, device, "give-password", { identifier: run.thief.name, password: run.thief.password }),
    ),
  "ask for a code": (run, device) =>
    sent(run, device, "send-code", { ...identifierIn(run, device), channel: "email" }),
  "ask for a link": (run, device) => sent(run, device, "send-link", identifierIn(run, device)),
  "forget the password": (run, device) => sent(run, device, "start-recovery", identifierIn(run, device)),
  "ask to be unlocked": (run, device) => sent(run, device, "start-unlock", identifierIn(run, device)),
  "give the code": (run, device) => giveCode(run, device, device.code ?? "000000"),
  "give the code twice at once": (run, device) => giveCode(run, device, device.code ?? "000000", true),
  "give the code of the other device": async (run, device, other) => {
    if (other.code === null || other.code === device.code) return;
    await mustFail(run, "a code of another flow was accepted", () =>
      take(run, device, "give-code", { code: other.code ?? "" }),
    );
  },
  "open the link": (run, device) =>
    attempt(run, device, { who: "victim", kind: "mail", token: device.link ?? "" }, () =>
      take(run, device, "open-link", { secret: device.link ?? newSecret() }),
    ),
  "open the link of the other device": async (run, device, other) => {
    if (other.link === null) return;
    await mustFail(run, "a link of another browser was accepted", () =>
      take(run, device, "open-link", { secret: other.link ?? "" }),
    );
  },
  "use the passkey": async (run, device) => {
    const response = await assertion(run, device, run.victim).catch(refused);
    if (response === undefined) return;
    device.assertion = response;
    await attempt(run, device, { who: "victim", kind: "verified-passkey" }, () =>
      take(run, device, "use-passkey", { response }),
    );
  },
  "use the thief's passkey as second factor": async (run, device) => {
    if (device.who !== "victim") return;
    const response = await assertion(run, device, run.thief).catch(refused);
    if (response === undefined) return;
    await mustFail(run, "another's passkey was accepted", () =>
      take(run, device, "use-passkey", { response }),
    );
  },
  "use the passkey's answer again": async (run, device, other) => {
    const response = device.assertion ?? other.assertion;
    if (response === null) return;
    await mustFail(run, "an answer of a passkey was accepted twice", () =>
      take(run, device, "use-passkey", { response }),
    );
  },
  "give what the app shows": async (run, device) => {
    if (run.victim.totp === null) return;
    const code = run.signIns.shown(run.victim.totp);
    const done = await attempt(run, device, { who: "victim", kind: "totp", token: `totp ${code}` }, () =>
      take(run, device, "give-totp", { code }),
    );
    if (done) run.lastTotp = code;
  },
  "give what the app showed before": async (run, device) => {
    const code = run.lastTotp;
    if (code === null) return;
    await mustFail(run, "a code of the app was accepted twice", () =>
      take(run, device, "give-totp", { code }),
    );
  },
  "give a recovery code": async (run, device) => {
    const code = run.victim.recoveryCodes[0];
    if (code === undefined) return;
    const proof = { who: "victim", kind: "recovery-code", token: code } as const;
    const done = await attempt(run, device, proof, () => take(run, device, "give-recovery-code", { code }));
    if (!done) return;
    run.victim.recoveryCodes.shift();
    await mustFail(run, "a recovery code was accepted twice", () =>
      take(run, device, "give-recovery-code", { code }),
    );
  },
  "set up an app": async (run, device) => {
    const begun = await run.door.beginTotp(device.key).catch(refused);
    if (begun === undefined) return;
    if (run.hadSecond && !isEnough(run, { ...device, newPassword: true })) {
      run.breaches.push("another factor was set up without the one there is");
    }
    const code = run.signIns.shown(begun.secret);
    const done = await attempt(run, device, { kind: "enrolled" }, () =>
      take(run, device, "enrol-totp", { id: begun.id, code }),
    );
    if (done) run.victim.totp = begun.secret;
  },
  "choose a password": async (run, device) => {
    const password = `${newSecret(12)} horse`;
    device.newPassword = true;
    const done = await attempt(run, device, {}, () => take(run, device, "choose-password", { password }));
    if (!done) device.newPassword = false;
    else if (device.who === "victim") run.victim.password = password;
  },
  "take the result": async (run, device) => {
    const finished = await run.door.finish(device.key).catch(refused);
    if (finished === undefined) return;
    if (device.state !== "authenticated") run.breaches.push("an unfinished flow was taken");
    const id = { victim: run.victim.id, thief: run.thief.id, nobody: "" }[device.who];
    if (finished.userId !== id) run.breaches.push("the session is somebody else's");
    if (run.used.has(device.key.id)) run.breaches.push("a result was taken twice");
    run.used.add(device.key.id);
    device.state = "taken";
  },
  "go on in another browser": async (run, device) => {
    const key = { ...device.key, secret: newSecret() };
    await mustFail(run, "a flow went on in another browser", () =>
      run.door.take(key, "give-password", { identifier: run.victim.name, password: run.victim.password }),
    );
    await mustFail(run, "a result was taken by another browser", () => run.door.finish(key));
  },
};

function refused(error: unknown): undefined {
  if (!(error instanceof IdentityError)) throw error;
}

/** On the first device everything is tried; on the second what a thief would do to help himself or to mislead. */
const ON_THE_SECOND = [
  "name the victim",
  "give the password",
  "ask for a code",
  "ask for a link",
  "forget the password",
  "give the code",
  "use the passkey",
  "give the code of the other device",
];

export const ATTEMPTS: readonly Action<Run>[] = [
  ...Object.entries(TRIES).map(([name, attempted]) => ({
    name,
    try: async (run: Run) => void (await attempted(run, run.devices[0], run.devices[1])),
  })),
  ...ON_THE_SECOND.map((name) => ({
    name: `elsewhere: ${name}`,
    try: async (run: Run) => void (await TRIES[name]?.(run, run.devices[1], run.devices[0])),
  })),
  {
    name: "wait for an hour",
    try: async (run) => {
      run.signIns.world.clock.advance(3_601);
      run.expired = true;
    },
  },
];

export function situationOf(run: Run): string {
  const of = (device: Device) => [
    device.state,
    device.who,
    [...device.proofs].sort(),
    device.recovers,
    device.code !== null,
    device.link !== null,
    device.assertion !== null,
  ];
  return JSON.stringify([run.devices.map(of), run.expired, run.used.size > 0, run.lastTotp !== null]);
}
