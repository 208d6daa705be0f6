import { createHash, createHmac, createPrivateKey, type KeyObject, randomInt, sign } from "node:crypto";
import { httpRequest, PUBLIC_URL, type SignInJob, type StrongUser } from "../load.ts";
import type { HttpAnswer, HttpConnection } from "./http-connection.ts";

const ROOT = "/api/v1/sign-in/flows";
const STEP_MILLISECONDS = 30_000;
const CHALLENGE = createHash("sha256").update("bench").digest("base64url");

/** Signs people in by the headless API, one after the other: every request of a sign-in counts as one operation. */
export class StrongSignIns {
  readonly #job: SignInJob;
  readonly #people: StrongUser[];
  readonly #key: KeyObject;
  /** The time step that each has used last, as no code is taken twice. */
  readonly #used = new Map<StrongUser, number>();
  readonly #devices = new Map<StrongUser, string>();
  #at = 0;

  constructor(job: SignInJob, lane: number, lanes: number) {
    this.#job = job;
    this.#people = job.people.filter((_, i) => i % lanes === lane);
    this.#key = createPrivateKey(job.passkey);
  }

  /** The answer that ended it: the authorization code, or the first that was wrong. */
  async operate(connection: HttpConnection): Promise<HttpAnswer> {
    const { user, step } = this.#next();
    const { tenantSlug, applicationId, identifier } = user;
    const headers: Record<string, string> = {
      "Content-Type": "application/json",
      "Ostiary-Tenant": tenantSlug,
      // Each from an address of its own: an address begins only so many sign-ins in a quarter of an hour.
      "X-Forwarded-For": `10.${randomInt(256)}.${randomInt(256)}.${randomInt(256)}`,
    };
    const post = (path: string, body?: object) =>
      connection.send(httpRequest("POST", path, headers, body === undefined ? "" : JSON.stringify(body)));
    const begun = await post(ROOT, { applicationId, scopes: ["openid"], codeChallenge: CHALLENGE });
    if (begun.status !== 201) return begun;
    const { flow, secret } = JSON.parse(begun.body) as { flow: { id: string }; secret: string };
    headers["Ostiary-Flow"] = secret;
    const device = this.#devices.get(user);
    if (device) headers["Ostiary-Device"] = device;
    const path = `${ROOT}/${flow.id}`;
    const proven = await (this.#job.method === "totp"
      ? this.#byTotp(post, path, user, identifier, step)
      : this.#byPasskey(post, path, user));
    if (proven.status !== 200) return proven;
    this.#devices.set(user, (JSON.parse(proven.body) as { device: string }).device);
    delete headers["Content-Type"];
    return post(`${path}/finish`);
  }

  async #byTotp(post: Post, path: string, user: StrongUser, identifier: string, step: number) {
    const { password } = this.#job;
    const first = await post(`${path}/steps/give-password`, { identifier, password });
    if (first.status !== 200) return first;
    return post(`${path}/steps/give-totp`, { code: totp(user.secret, step) });
  }

  async #byPasskey(post: Post, path: string, user: StrongUser) {
    const asked = await post(`${path}/passkey-options`, {});
    if (asked.status !== 200) return asked;
    const { options } = JSON.parse(asked.body) as { options: { challenge: string } };
    return post(`${path}/steps/use-passkey`, { response: assertion(this.#key, user, options.challenge) });
  }

  /** Somebody who has a time step left: the one before now, now, and the one after are taken, in this order. */
  #next(): { user: StrongUser; step: number } {
    for (let tried = 0; tried < this.#people.length; tried++) {
      const user = this.#people[this.#at++ % this.#people.length];
      if (!user) break;
      if (this.#job.method === "passkey") return { user, step: 0 };
      const now = Math.floor(Date.now() / STEP_MILLISECONDS);
      const step = Math.max((this.#used.get(user) ?? 0) + 1, now);
      if (step > now + 1) continue;
      this.#used.set(user, step);
      return { user, step };
    }
    throw new Error("everybody has used all codes of this minute: measure for a shorter time");
  }
}

type Post = (path: string, body?: object) => Promise<HttpAnswer>;

/** RFC 6238 with SHA-1 and six digits. */
function totp(secret: string, step: number): string {
  const bits = [...secret].map((letter) =>
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0"),
  );
  const key = Buffer.from((bits.join("").match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac("sha1", key).update(counter).digest();
  const number = mac.readUInt32BE((mac[19] ?? 0) & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

/** What a browser gives for a passkey whose device has checked the person (WebAuthn §6.1, §6.3.3). */
function assertion(key: KeyObject, { credentialId, userHandle }: StrongUser, challenge: string): object {
  const { origin, hostname } = new URL(PUBLIC_URL);
  const clientData = Buffer.from(
    JSON.stringify({ type: "webauthn.get", challenge, origin, crossOrigin: false }),
  );
  const rpId = createHash("sha256").update(hostname).digest();
  const authenticatorData = Buffer.concat([rpId, Buffer.from([0x1d, 0, 0, 0, 0])]);
  const hash = createHash("sha256").update(clientData).digest();
  const signature = sign("sha256", Buffer.concat([authenticatorData, hash]), key);
  return {
    id: credentialId,
    rawId: credentialId,
    type: "public-key",
    clientExtensionResults: {},
    response: {
      clientDataJSON: clientData.toString("base64url"),
      authenticatorData: authenticatorData.toString("base64url"),
      signature: signature.toString("base64url"),
      userHandle,
    },
  };
}
