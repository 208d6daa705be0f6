import type { BkSession } from "./session.ts";

/** A session as express-session, koa-session and @fastify/session have it: values are its properties. */
type SessionObject = Record<string, unknown> & { regenerate?: (done: (error?: unknown) => void) => unknown };

/** Properties with which those libraries keep house; everything else is data. */
const INTERNAL: ReadonlySet<string> = new Set([
  "cookie",
  "isNew",
  "maxAge",
  "sessionId",
  "encryptedSessionId",
  "_requireSave",
  "_expire",
  "_maxAge",
  "_session",
]);

/**
 * A framework's session, read through its holder, since a new id may mean a new object. undefined when the holder has
 * none. A session that cannot regenerate (one kept in a cookie has no id) is only emptied.
 */
export function frameworkSession(holder: object): BkSession | undefined {
  const current = () => (holder as { session?: SessionObject | null }).session;
  if (!isSession(current())) return undefined;
  const data = (): SessionObject => current() ?? {};
  const empty = () => {
    for (const key of dataKeys(data())) delete data()[key];
  };
  return {
    get: (key) => data()[key],
    set: (key, value) => {
      data()[key] = value;
    },
    delete: (key) => {
      delete data()[key];
    },
    flush: async () => {
      empty();
      await regenerate(data());
    },
    cycle: async () => {
      const kept = dataKeys(data()).map((key) => [key, data()[key]]);
      await regenerate(data());
      Object.assign(data(), Object.fromEntries(kept));
    },
  };
}

function isSession(value: unknown): value is SessionObject {
  return typeof value === "object" && value !== null;
}

const dataKeys = (session: SessionObject) =>
  Object.keys(session).filter((key) => !INTERNAL.has(key) && typeof session[key] !== "function");

function regenerate(session: SessionObject): Promise<void> {
  if (typeof session.regenerate !== "function") return Promise.resolve();
  return new Promise((resolve, reject) => {
    session.regenerate?.((error) => (error ? reject(error) : resolve()));
  });
}
