import { IdentityError, type JsonValue } from "@ostiary/contracts";
import { addSeconds } from "../../kernel/clock.ts";
import { systemContext } from "../../kernel/context.ts";
import { newId } from "../../kernel/identifiers.ts";
import type { Transaction } from "../../platform/database/types.ts";
import { recordRefusal } from "../audit/index.ts";
import { type Deps, isJoined, onePerServer, outsideTransaction } from "../deps.ts";
import {
  claimMessages,
  deleteMessage,
  insertMessage,
  postponeMessage,
  type StoredMessage,
  selectNextDue,
} from "./outgoing.store.ts";
import { delayAfter, type Sender, Undeliverable } from "./sender.ts";

export interface Message {
  tenantId: string;
  payload: JsonValue;
  /** It is given up when it could not be sent until then. */
  expiresAt: Date;
}

/** Longer than any sender waits for the next station. */
const LEASE_SECONDS = 120;
/** Looked for without being told: what a process that was killed has left. */
const LOOK_MILLISECONDS = 30_000;
/** No timer is longer while something waits, so that a clock that is moved is noticed. */
const LONGEST_SLEEP_MILLISECONDS = 5_000;
const SHORTEST_SLEEP_MILLISECONDS = 500;
const CLOSE_MILLISECONDS = 3_000;

const purposeOf = ({ tenantId, id }: { tenantId: string; id: string }) => `outgoing:${tenantId}:${id}`;

/** What this process sends. No statement, lock or connection of the database is open meanwhile. */
class Outbox {
  readonly senders = new Map<string, Sender>();
  readonly #used = new Map<string, number>();
  readonly #flying = new Set<Promise<void>>();
  #looking: Promise<void> | undefined;
  #again = false;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** Looks for stored messages soon; many calls make one look. */
  wake(deps: Deps): void {
    if (this.#closed) return;
    this.#again = true;
    this.#looking ??= this.#look(deps)
      .catch((error: unknown) => {
        deps.log.error({ err: error }, "looking for outgoing messages failed");
        this.#sleep(deps, LONGEST_SLEEP_MILLISECONDS);
      })
      .finally(() => {
        this.#looking = undefined;
        if (this.#again) this.wake(deps);
      });
  }

  /** Until nothing is under way that began before. */
  async settle(): Promise<void> {
    while (this.#looking || this.#flying.size > 0) {
      await this.#looking;
      await Promise.all(this.#flying);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_MILLISECONDS);
    });
    await Promise.race([this.settle(), patience]);
    clearTimeout(timer);
  }

  async #look(deps: Deps): Promise<void> {
    const { database, clock } = deps;
    while (this.#again && !this.#closed) {
      this.#again = false;
      for (const sender of this.senders.values()) {
        const free = sender.lanes - (this.#used.get(sender.kind) ?? 0);
        if (free <= 0) continue;
        const now = clock.now();
        const until = addSeconds(now, LEASE_SECONDS);
        const claimed = await claimMessages(database, sender.kind, now, until, free);
        for (const message of claimed) {
          this.#fly(deps, sender, this.#send(deps, sender, message));
        }
      }
    }
    const next = await selectNextDue(database, [...this.senders.keys()]);
    if (next) this.#sleep(deps, Math.min(next.getTime() - clock.now().getTime(), LONGEST_SLEEP_MILLISECONDS));
    else this.#sleep(deps, LOOK_MILLISECONDS);
  }

  #sleep(deps: Deps, milliseconds: number): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    // What is due and finds no lane free waits for a flight to end, which wakes us.
    this.#timer = setTimeout(() => this.wake(deps), Math.max(milliseconds, SHORTEST_SLEEP_MILLISECONDS));
    this.#timer.unref();
  }

  #fly(deps: Deps, sender: Sender, flight: Promise<void>): void {
    this.#used.set(sender.kind, (this.#used.get(sender.kind) ?? 0) + 1);
    const ended = flight
      .catch((error: unknown) =>
        deps.log.error({ err: error, kind: sender.kind }, "an outgoing message failed"),
      )
      .finally(() => {
        this.#flying.delete(ended);
        this.#used.set(sender.kind, (this.#used.get(sender.kind) ?? 1) - 1);
        this.wake(deps);
      });
    this.#flying.add(ended);
  }

  async #send(deps: Deps, sender: Sender, message: StoredMessage): Promise<void> {
    const { tenantId, attempts, expiresAt } = message;
    const text = deps.secrets.unseal(message.sealedPayload, purposeOf(message));
    const payload = JSON.parse(text) as JsonValue;
    // Nobody was there to send it in time: a code that has expired would only confuse.
    const failure =
      expiresAt <= deps.clock.now()
        ? new Undeliverable("expired before it could be sent")
        : await attempt(deps, sender, tenantId, payload);
    if (!failure) return deleteMessage(deps.database, message);
    const again = addSeconds(deps.clock.now(), delayAfter(sender, attempts));
    if (!(failure instanceof Undeliverable) && again < expiresAt) {
      // Not the error itself: it may repeat what was to be sent.
      deps.log.warn(
        { kind: sender.kind, attempts, reason: reasonOf(failure) },
        "a message was not taken; it is sent again",
      );
      return postponeMessage(deps.database, message, again);
    }
    await deleteMessage(deps.database, message);
    await giveUp(deps, sender, tenantId, payload, failure);
  }
}

async function attempt(
  deps: Deps,
  sender: Sender,
  tenantId: string,
  payload: JsonValue,
): Promise<Error | undefined> {
  try {
    await sender.send(deps, tenantId, payload);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function reasonOf(failure: Error): string {
  return ((failure instanceof IdentityError && failure.reason) || failure.message).slice(0, 500);
}

async function giveUp(
  deps: Deps,
  sender: Sender,
  tenantId: string,
  payload: JsonValue,
  failure: Error,
): Promise<void> {
  await recordRefusal(deps, systemContext(tenantId), {
    type: "message.given_up",
    reason: reasonOf(failure),
    data: { kind: sender.kind, ...sender.describe(payload) },
  });
}

const outboxOf = onePerServer(() => new Outbox());

/**
 * Stores a message and sends it in the background, again and again until it is taken or expires. Joins the
 * transaction of `deps`: it is sent if and only if that commits, at least once, whatever is killed.
 *
 * @param sender - or only its kind, where it lives in a module that this one may not know; `startOutgoing` has it.
 */
export async function sendLater(
  deps: Deps,
  sender: Sender | Pick<Sender, "kind">,
  message: Message,
): Promise<void> {
  const now = deps.clock.now();
  const { tenantId, payload, expiresAt } = message;
  const id = newId(now);
  const sealedPayload = deps.secrets.seal(JSON.stringify(payload), purposeOf({ tenantId, id }));
  await insertMessage(deps.database, { tenantId, id, kind: sender.kind, sealedPayload, expiresAt }, now);
  const outbox = outboxOf(deps);
  if ("send" in sender) outbox.senders.set(sender.kind, sender);
  afterCommit(deps, (outer) => outbox.wake(outer));
}

function afterCommit(deps: Deps, run: (outer: Deps) => void): void {
  const outer = outsideTransaction(deps);
  if (isJoined(deps)) (deps.database as Transaction).afterCommit(() => run(outer));
  else run(outer);
}

/** Sends what was left by a process before, and from now on what others leave. */
export function startOutgoing(deps: Deps, senders: readonly Sender[]): { close(): Promise<void> } {
  const outbox = outboxOf(deps);
  for (const sender of senders) outbox.senders.set(sender.kind, sender);
  outbox.wake(deps);
  return { close: () => outbox.close() };
}

/** Looks once for what is due and waits until it has been tried. For tests and the command line. */
export async function finishOutgoing(deps: Deps): Promise<void> {
  const outbox = outboxOf(deps);
  outbox.wake(outsideTransaction(deps));
  await outbox.settle();
}
