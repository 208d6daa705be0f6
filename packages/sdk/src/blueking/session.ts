import type { BkSettings } from "./options.ts";
import type { User } from "./users.ts";

/**
 * The session of one request: what Django calls `request.session`. Values are JSON. `flush` throws everything away and
 * gives the session a new id; `cycle` gives it a new id and keeps what it holds.
 */
export interface BkSession {
  get(key: string): unknown;
  set(key: string, value: unknown): void;
  delete(key: string): void;
  flush(): void | Promise<void>;
  cycle(): void | Promise<void>;
}

/** A session in memory without an id of its own: for tests, and where the ticket itself is the key. */
export class MemorySession implements BkSession {
  readonly data: Map<string, unknown> = new Map();

  get(key: string): unknown {
    return this.data.get(key);
  }

  set(key: string, value: unknown): void {
    this.data.set(key, value);
  }

  delete(key: string): void {
    this.data.delete(key);
  }

  flush(): void {
    this.data.clear();
  }

  cycle(): void {}
}

const USER_ID = "bkpaas_user_id";
const CREDENTIALS = "auth_credentials";
const USER_TOKEN = "user_token";
/** Whoever signed in by other means in a Django application that shares the session. */
const DJANGO_USER_ID = "_auth_user_id";
const OWN_KEYS = [USER_ID, CREDENTIALS, USER_TOKEN, "provider_type", "bkpaas_authenticated_at"];

/** The text of the session's login token; undefined when there is none, or one of an older form. */
export function storedToken(session: BkSession): string | undefined {
  const text = session.get(USER_TOKEN);
  return typeof text === "string" && text.startsWith("{") ? text : undefined;
}

/** Whether the session was opened by this very ticket, in either form. */
export function wasOpenedBy(settings: BkSettings, session: BkSession, ticket: string, hash: string): boolean {
  const stored = session.get(CREDENTIALS) as Record<string, unknown> | null | undefined;
  if (typeof stored !== "object" || stored === null) return false;
  return stored[`${settings.backendType}_hash`] === hash || stored[settings.backendType] === ticket;
}

/**
 * Writes a verified user, after the session has been made theirs: emptied when it was another's, given a new id when it
 * was nobody's (a session id from before the login must not be good for it). The same user again changes no id, so open
 * forms keep their CSRF token.
 */
export async function openSession(
  settings: BkSettings,
  session: BkSession,
  user: User,
  ticket: string,
  hash: string,
): Promise<void> {
  const before = session.get(USER_ID) ?? session.get(DJANGO_USER_ID);
  if (before === undefined || before === null) await session.cycle();
  else if (before !== user.bkpaasUserId) await session.flush();
  const { backendType, sessionForm } = settings;
  session.set("provider_type", user.providerType);
  session.set(USER_ID, user.bkpaasUserId);
  session.set("bkpaas_authenticated_at", settings.clock() / 1000);
  session.set(
    CREDENTIALS,
    sessionForm === "python" ? { [backendType]: ticket } : { [`${backendType}_hash`]: hash },
  );
  session.set(USER_TOKEN, user.token?.serialize());
  if (sessionForm !== "python") return;
  session.set(DJANGO_USER_ID, user.bkpaasUserId);
  session.set("_auth_user_backend", "bkpaas_auth.backends.UniversalAuthBackend");
  session.set("_auth_user_hash", "");
}

/** Ends the login in a session: all of a session that a ticket opened; of another, nothing unless everything is asked. */
export async function closeSession(settings: BkSettings, session: BkSession): Promise<void> {
  if (session.get(USER_ID) === undefined && !settings.logoutWithoutCookie) return;
  for (const key of OWN_KEYS) session.delete(key); // before the wait: whatever flush does, nobody is signed in
  settings.logger.info?.("a login has ended");
  await session.flush();
}
