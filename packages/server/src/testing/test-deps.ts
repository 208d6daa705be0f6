import { createPasswordHasher } from "../domain/credentials/password-hasher.ts";
import type { Deps } from "../domain/deps.ts";
import { ChangeFeed } from "../kernel/changes.ts";
import type { Clock } from "../kernel/clock.ts";
import type { RequestContext } from "../kernel/context.ts";
import { ALL_PERMISSIONS } from "../kernel/context.ts";
import type { Logger, MessageSender, RateLimits } from "../kernel/ports.ts";
import type { PgDatabase } from "../platform/database/pool.ts";
import { createOutgoingCalls } from "../platform/outgoing/outgoing-calls.ts";
import { createSealer, createSecrets } from "../platform/secrets/sealing.ts";
import { frozenClock } from "./frozen-clock.ts";

export const QUIET: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

const NO_LIMITS: RateLimits = {
  look: async (counters) => counters.map(() => ({ points: 0, seconds: 0 })),
  consume: async () => 0,
  reset: async () => {},
};

export interface SentMessage {
  to: string;
  subject?: string;
  text: string;
}

/** Keeps what would be sent. */
function keepingSender(): MessageSender & { sent: SentMessage[] } {
  const sent: SentMessage[] = [];
  return {
    sent,
    sendMail: async ({ to, subject, text }) => void sent.push({ to, subject, text }),
    sendSms: async ({ to, text }) => void sent.push({ to, text }),
  };
}

export const TEST_KEYS = { current: Buffer.alloc(32, 1), previous: [] };

/** One for the whole test process: its pool of threads is bounded like the real one's. As cheap as argon2id gets. */
const hasher = createPasswordHasher({ memoryKiB: 1_024, iterations: 1 });

/**
 * Dependencies for tests of rules: the real database, secrets and hasher; a frozen clock; a feed that is live and
 * hears what these dependencies change, not what others do (`aServer()` has the real one); no rate limits unless given.
 */
export function testDeps(database: PgDatabase, overrides: Partial<Deps> & { clock?: Clock } = {}): Deps {
  const feed = new ChangeFeed();
  feed.setLive(true);
  return {
    database: database.heardBy(feed),
    clock: frozenClock(),
    secrets: createSecrets({ sealer: createSealer(TEST_KEYS), hashKey: Buffer.alloc(32, 2) }),
    hasher,
    limits: NO_LIMITS,
    sender: keepingSender(),
    outgoing: createOutgoingCalls(["127.0.0.1"]),
    feed,
    log: QUIET,
    publicUrl: "http://ostiary.test",
    ...overrides,
  };
}

/** A request by an administrator of the tenant, unless told otherwise. */
export function contextOf(tenantId: string, overrides: Partial<RequestContext> = {}): RequestContext {
  return {
    tenantId,
    actor: { type: "operator", id: null },
    permissions: ALL_PERMISSIONS,
    ip: "192.0.2.1",
    userAgent: "test",
    traceId: "0".repeat(32),
    ...overrides,
  };
}
