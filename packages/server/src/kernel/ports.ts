/** What the domain needs from the outside; `platform` implements these and `compose.ts` joins them. */

/** Encryption at rest and keyed hashes. `purpose` separates uses: the same text under two purposes differs. */
export interface Secrets {
  /** AES-256-GCM under the master key; `purpose` is authenticated. */
  seal(plaintext: string, purpose: string): Buffer;
  /** @throws Error when the text was changed, or sealed for another purpose or under an unknown key. */
  unseal(sealed: Buffer, purpose: string): string;
  /** HMAC-SHA256, 32 bytes: how bearer secrets are stored and found. */
  keyedHash(text: string, purpose: string): Buffer;
}

export interface MessageSender {
  sendMail(message: {
    to: string;
    subject: string;
    text: string;
    html?: string;
    tenantId: string;
  }): Promise<void>;
  sendSms(message: { to: string; text: string; tenantId: string }): Promise<void>;
}

/** Counts failures per key in a sliding window; see platform/limits. */
export interface RateLimits {
  /** The state of counters, in their order and in one look-up. Does not count. */
  look(counters: readonly { limit: LimitRule; key: string }[]): Promise<CounterState[]>;
  /** Counts one point; returns seconds to wait when that was more than allowed, else 0. */
  consume(limit: LimitRule, key: string): Promise<number>;
  /** Forgets the points of `key`. */
  reset(limit: LimitRule, key: string): Promise<void>;
}

export interface CounterState {
  /** Counted in the window that runs; 0 when nothing was. */
  points: number;
  /** To wait, when the points are used up; else 0. */
  seconds: number;
}

export interface LimitRule {
  /** Separates the counters of different rules. */
  name: string;
  /** Allowed points per window. */
  points: number;
  /** Length of the window, and of the block after it is used up, in seconds. */
  seconds: number;
  /** Each process counts for itself: for what is done so often that a statement for each would cost more than it saves.
   * Such a rule is only consumed and reset, not looked at. */
  local?: true;
}

export interface PasswordHasher {
  /** A PHC string. @throws IdentityError `credential.busy` when the queue is full. */
  hash(password: string): Promise<string>;
  verify(stored: string, password: string): Promise<{ ok: boolean; upgrade: boolean }>;
  /** Takes as long as `verify`: for identifiers that do not exist. */
  verifyNothing(password: string): Promise<void>;
  /**
   * What to store for a hash that comes from another system: the same text, or argon2id around a fast hash.
   * @throws IdentityError `credential.unsupported_hash`, `credential.busy`
   */
  adopt(imported: string): Promise<string>;
}

export interface Logger {
  debug(object: object, message: string): void;
  info(object: object, message: string): void;
  warn(object: object, message: string): void;
  error(object: object, message: string): void;
}

/** Calls to addresses that users of the server have chosen. */
export interface OutgoingCalls {
  /**
   * Sends one request and reads the beginning of the answer. Redirects are not followed.
   *
   * @throws IdentityError `target.not_allowed` for a private address that the installation does not allow
   * @throws Error when there is no answer in time; its message says why
   */
  send(request: OutgoingRequest): Promise<OutgoingAnswer>;
}

export interface OutgoingRequest {
  method: "GET" | "POST";
  url: string;
  headers: Readonly<Record<string, string>>;
  body?: string | undefined;
  /** Until the whole answer is there. */
  timeoutMilliseconds: number;
  /** Bytes of the answer that are read; the rest is thrown away. */
  answerBytes: number;
}

export interface OutgoingAnswer {
  status: number;
  body: string;
}
