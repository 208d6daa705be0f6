import { ZibanuError } from "./errors.ts";
import { Listeners } from "./events.ts";
import { readToken, type ZibanuSession } from "./token.ts";
import { memoryTokenStore, type TokenStore } from "./token-store.ts";
import { Transport, type TransportOptions } from "./transport.ts";

export interface SignInOptions extends TransportOptions {
  /** Default: in memory. */
  tokens?: TokenStore;
  /** A token with less left than this is exchanged before a call. Seconds; default 60, at most half of its life. */
  refreshBefore?: number;
  /** true exchanges the token also while nothing is called, so that an open page stays signed in. Default false. */
  keepAlive?: boolean;
  clock?: () => number;
}

export interface Credentials {
  email: string;
  password: string;
  /** Ends the session that is open for the same origin. */
  close?: boolean;
}

const DEFAULT_REFRESH_BEFORE = 60;
/** `setTimeout` takes no longer one. */
const MAX_TIMER_MS = 2_147_483_647;
/** Between two attempts of `keepAlive` while the server cannot be reached. */
const RETRY_MS = 5_000;
const LOCK = "ostiary.zibanu.refresh";
/** How often, and every how many milliseconds, one looks whether another tab's token has arrived. */
const TAKEN_OVER_TRIES = 6;
const TAKEN_OVER_MS = 50;

interface Locks {
  request<T>(name: string, work: () => Promise<T>): Promise<T>;
}

/** The token: getting it, keeping it fresh, noticing its end. One exchange at a time, in all tabs that share a store. */
export class SignIn {
  readonly listeners: Listeners = new Listeners();
  readonly transport: Transport;
  readonly #tokens: TokenStore;
  readonly #options: SignInOptions;
  #refreshing: Promise<ZibanuSession> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** How far the server's clock is ahead, as the last answer told. Milliseconds. */
  #skew = 0;

  constructor(options: SignInOptions) {
    this.transport = new Transport(options);
    this.#tokens = options.tokens ?? memoryTokenStore();
    this.#options = options;
  }

  /** Who is signed in here; undefined for nobody, or a token that is over. */
  async session(): Promise<ZibanuSession | undefined> {
    const token = await this.#tokens.get();
    const session = token === null ? undefined : readToken(token);
    return session !== undefined && session.expiresAt > this.#now() ? session : undefined;
  }

  async login({ email, password, close }: Credentials): Promise<ZibanuSession> {
    const body = close === undefined ? { email, password } : { email, password, close };
    const session = await this.#keep(await this.transport.post("login/", body));
    this.listeners.tell("login", session);
    return session;
  }

  /** Signed out here whatever the server says; a failure other than "you were not signed in" is still thrown. */
  async logout(): Promise<void> {
    const token = await this.#tokens.get();
    if (token === null) return;
    await this.#drop();
    this.listeners.tell("logout", undefined);
    await this.transport.post("logout/", {}, token).catch((error: unknown) => {
      if (!isTokenError(error)) throw error;
    });
  }

  /** Calls a service as the signed-in user; a token that was refused is exchanged once, and the call repeated. */
  async call(path: string, body?: unknown): Promise<unknown> {
    const { token } = await this.#fresh();
    try {
      return await this.transport.post(path, body, token);
    } catch (error) {
      if (!isTokenError(error)) throw error;
      const renewed = await this.refresh(token);
      return await this.transport.post(path, body, renewed.token).catch(async (again: unknown) => {
        if (isTokenError(again)) await this.#expire(renewed.token);
        throw again;
      });
    }
  }

  /**
   * Exchanges the token. All who ask meanwhile share one exchange, and a token that another tab has exchanged already is
   * taken from the store.
   *
   * @param instead - the token to be replaced; default: the current one.
   * @throws ZibanuError `token` when it is over for good: the listeners of `expired` have heard.
   */
  refresh(instead?: string): Promise<ZibanuSession> {
    this.#refreshing ??= this.#exclusively(() => this.#exchange(instead)).finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  /** Ends the timer of `keepAlive`. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  #now(): number {
    return (this.#options.clock ?? Date.now)() + this.#skew;
  }

  async #fresh(): Promise<ZibanuSession> {
    const session = await this.session();
    if (session === undefined) {
      const stale = await this.#tokens.get();
      if (stale !== null) await this.#expire(stale);
      throw new ZibanuError("token", { code: "not_authenticated", messages: ["Nobody is signed in"] });
    }
    return session.expiresAt - this.#now() > this.#margin(session)
      ? session
      : await this.refresh(session.token);
  }

  #margin({ issuedAt, expiresAt }: ZibanuSession): number {
    const wished = (this.#options.refreshBefore ?? DEFAULT_REFRESH_BEFORE) * 1000;
    return Math.min(wished, (expiresAt - issuedAt) / 2);
  }

  async #exchange(instead: string | undefined): Promise<ZibanuSession> {
    const current = await this.#tokens.get();
    const session = current === null ? undefined : readToken(current);
    if (session === undefined)
      throw new ZibanuError("token", { code: "not_authenticated", messages: ["Nobody is signed in"] });
    if (instead !== undefined && instead !== session.token) return session;
    try {
      const renewed = await this.#keep(await this.transport.post("refresh/", { token: session.token }));
      this.listeners.tell("refresh", renewed);
      return renewed;
    } catch (error) {
      const isOver =
        error instanceof ZibanuError && error.status >= 400 && error.status < 500 && error.status !== 429;
      if (!isOver) throw error; // out of reach for the moment: the token may still be good
      const taken = await this.#takenOver(session.token);
      if (taken !== undefined) return taken;
      await this.#expire(session.token);
      throw new ZibanuError("token", { ...error, status: error.status, cause: error });
    }
  }

  /**
   * What another tab has exchanged this token for. Browsers keep a copy of the storage for each of their processes, so the
   * tab that gets the lock next may still read what was there before.
   */
  async #takenOver(token: string): Promise<ZibanuSession | undefined> {
    if (!this.#locks()) return undefined;
    for (let tries = 0; tries < TAKEN_OVER_TRIES; tries++) {
      await new Promise((resolve) => setTimeout(resolve, TAKEN_OVER_MS));
      const current = await this.#tokens.get();
      if (current !== null && current !== token) return readToken(current);
    }
    return undefined;
  }

  /** The Web Locks of a browser; elsewhere this process is alone. */
  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const locks = this.#locks();
    return locks ? locks.request(LOCK, work) : work();
  }

  #locks(): Locks | undefined {
    const { navigator } = globalThis as { navigator?: { locks?: Locks } };
    return this.#options.tokens === undefined ? undefined : navigator?.locks;
  }

  async #keep(answer: unknown): Promise<ZibanuSession> {
    const token = (answer as { token?: unknown } | null | undefined)?.token;
    const session = typeof token === "string" ? readToken(token) : undefined;
    if (session === undefined)
      throw new ZibanuError("protocol", { status: 200, messages: ["The server gave no token"] });
    this.#skew = session.issuedAt - (this.#options.clock ?? Date.now)();
    await this.#tokens.set(session.token);
    this.#schedule(session);
    return session;
  }

  /** Forgets the token, unless another one has taken its place meanwhile. */
  async #expire(token: string): Promise<void> {
    if ((await this.#tokens.get()) !== token) return;
    await this.#drop();
    this.listeners.tell("expired", undefined);
  }

  async #drop(): Promise<void> {
    this.stop();
    await this.#tokens.set(null);
  }

  #schedule(session: ZibanuSession, leastWait = 0): void {
    this.stop();
    if (!this.#options.keepAlive) return;
    const wait = Math.max(leastWait, session.expiresAt - this.#now() - this.#margin(session));
    this.#timer = setTimeout(() => void this.#keepAlive(session), Math.min(wait, MAX_TIMER_MS));
    (this.#timer as { unref?: () => void }).unref?.(); // a program may end although it is signed in
  }

  async #keepAlive(session: ZibanuSession): Promise<void> {
    try {
      await this.refresh(session.token);
    } catch {
      const current = await this.session(); // out of reach: try again while the token lives
      if (current !== undefined) this.#schedule(current, RETRY_MS);
    }
  }
}

const isTokenError = (error: unknown) => error instanceof ZibanuError && error.kind === "token";
