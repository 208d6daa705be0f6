import { IdentityError } from "@ostiary/contracts";
import { newSecret } from "../../../kernel/identifiers.ts";
import type { Step } from "../index.ts";
import type { Action } from "./explore.ts";
import {
  aDevice,
  attempt,
  type Device,
  isEnough,
  mustFail,
  type Person,
  type Proof,
  type Run,
  twice,
} from "./ledger.ts";

type Try = (run: Run, device: Device, other: Device) => Promise<unknown>;

const take = (run: Run, device: Device, step: Step, input: object) => run.door.take(device.key, step, input);

async function sent(run: Run, device: Device, step: Step, input: object): Promise<void> {
  const { mailbox, deps } = run.signIns;
  mailbox.sent.length = 0;
  const taken = await attempt(run, device, {}, () => take(run, device, step, input));
  if (!taken) return;
  const secret = step === "send-link" ? /secret=([\w-]+)/ : /\b(\d{6})\b/;
  const message = await mailbox.newest(deps, run.victim.email, secret);
  device[step === "send-link" ? "link" : "code"] = secret.exec(message?.text ?? "")?.[1] ?? null;
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
