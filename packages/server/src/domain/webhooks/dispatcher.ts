import { addSeconds } from "../../kernel/clock.ts";
import { LoadingCache } from "../../kernel/loading-cache.ts";
import { watchEvents } from "../audit/index.ts";
import type { Deps } from "../deps.ts";
import { fillQueue } from "./fill-queue.ts";
import {
  type ClaimedDelivery,
  claimDelivery,
  type Due,
  extendLease,
  finishAttempt,
  hasUnreadEvents,
  releaseDeliveries,
  selectDue,
  selectNextDue,
} from "./queue.store.ts";
import { sendDelivery, timeoutOf } from "./send-delivery.ts";
import { hasActiveWebhook, type StoredWebhook, selectWebhook } from "./webhook.store.ts";

/** Deliveries of one webhook that are under way at a time in a process; one while it fails. */
const LANES = 4;
/** Of all webhooks: each is a socket and a few kilobytes. */
const ALL_LANES = 256;
/** Seconds that a delivery is kept for longer than its answer may take. */
const LEASE_MARGIN = 15;
/** Events of transactions that have not ended yet are looked for again after so long, doubling up to a second. */
const UNSETTLED_MILLISECONDS = 20;
/** Nobody tells us when time passes; no timer is longer than this, so that a clock that is moved is noticed. */
const LONGEST_SLEEP_MILLISECONDS = 5_000;
/** Tenants without webhooks wake nobody; their events are passed by once a minute. */
const LOOK_MILLISECONDS = 60_000;
const CLOSE_MILLISECONDS = 3_000;

/**
 * Delivers in the background. Commits wake it (the change feed tells all processes), and a timer for the next
 * repetition; while nothing waits, nothing runs. No statement or lock is open while a receiver is called, so it may
 * call us before it answers.
 */
export class Dispatcher {
  readonly #deps: Deps;
  readonly #lanes = new Map<string, number>();
  #used = 0;
  readonly #flying = new Map<Promise<void>, ClaimedDelivery>();
  readonly #tenants: LoadingCache<boolean>;
  readonly #unwatch: () => void;
  readonly #minute: NodeJS.Timeout;
  #busy = false;
  #again = false;
  #unsettled = UNSETTLED_MILLISECONDS;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #pass: Promise<void> = Promise.resolve();

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#tenants = new LoadingCache<boolean>(10_000, () => deps.feed.live);
    this.#unwatch = watchEvents(deps, (tenantId) => this.#isWanted(tenantId));
    deps.feed.subscribe({
      onChange: (noun, id) => {
        if (noun === "webhooks") this.#tenants.invalidate(id);
        if (noun === "events" || noun === "webhooks") this.wake();
      },
      onGap: () => {
        this.#tenants.clear();
        this.wake();
      },
    });
    this.#minute = setInterval(() => this.wake(), LOOK_MILLISECONDS);
    this.#minute.unref();
    this.wake();
  }

  /** Looks for work soon; many calls make one look. */
  wake(): void {
    if (this.#closed) return;
    this.#again = true;
    if (!this.#busy) this.#pass = this.#run();
  }

  /** Ends it: what is under way gets a moment, and is then given back. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearInterval(this.#minute);
    this.#unwatch();
    await this.#pass;
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_MILLISECONDS);
    });
    await Promise.race([Promise.all(this.#flying.keys()), patience]);
    clearTimeout(timer);
    const left = [...this.#flying.values()];
    if (left.length > 0) await releaseDeliveries(this.#deps.database, left).catch(() => {});
  }

  /** Unknown is yes: asking would have to wait, inside somebody's transaction. */
  #isWanted(tenantId: string): boolean {
    const known = this.#tenants.peek(tenantId);
    if (known !== undefined) return known;
    const load = this.#tenants.get(tenantId, (id) => hasActiveWebhook(this.#deps.database, id));
    if (load instanceof Promise) load.catch(() => {});
    return true;
  }

  async #run(): Promise<void> {
    this.#busy = true;
    clearTimeout(this.#timer);
    while (this.#again && !this.#closed) {
      this.#again = false;
      await this.#look().catch((error: unknown) => {
        this.#deps.log.error({ err: error }, "looking for webhook deliveries failed");
        this.#sleep(LONGEST_SLEEP_MILLISECONDS);
      });
    }
    this.#busy = false;
  }

  async #look(): Promise<void> {
    const { database, clock } = this.#deps;
    await fillQueue(this.#deps);
    for (const due of await selectDue(database, clock.now())) this.#fly(due);
    if (await hasUnreadEvents(database)) {
      this.#sleep(this.#unsettled);
      this.#unsettled = Math.min(this.#unsettled * 2, 1_000);
      return;
    }
    this.#unsettled = UNSETTLED_MILLISECONDS;
    const now = clock.now();
    const next = await selectNextDue(database, now);
    if (next) this.#sleep(next.getTime() - now.getTime());
  }

  #sleep(milliseconds: number): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => this.wake(),
      Math.min(Math.max(milliseconds, 1), LONGEST_SLEEP_MILLISECONDS),
    );
    this.#timer.unref();
  }

  /** Fills the webhook's lanes as far as there is room. */
  #fly(due: Due): void {
    const most = due.failures > 0 ? 1 : LANES;
    for (let used = this.#lanes.get(due.webhookId) ?? 0; used < most && this.#used < ALL_LANES; used++) {
      this.#lanes.set(due.webhookId, used + 1);
      this.#used++;
      void this.#lane(due)
        .catch((error: unknown) => {
          this.#deps.log.error({ err: error }, "a webhook delivery failed");
          return false;
        })
        .then((hasWorked) => {
          const left = (this.#lanes.get(due.webhookId) ?? 1) - 1;
          if (left > 0) this.#lanes.set(due.webhookId, left);
          else this.#lanes.delete(due.webhookId);
          this.#used--;
          if (hasWorked) this.wake();
        });
    }
  }

  /**
   * One delivery after the other while there are any, and the receiver takes them.
   * @returns whether there was one: what waits behind another lane's delivery is that lane's next.
   */
  async #lane(due: Due): Promise<boolean> {
    let hasWorked = false;
    const webhook = await selectWebhook(this.#deps.database, due.tenantId, due.webhookId);
    while (webhook?.status === "active" && !this.#closed) {
      const delivery = await this.#claim(due, webhook);
      if (!delivery) break;
      hasWorked = true;
      if (!(await this.#deliver(webhook, delivery))) break;
    }
    return hasWorked;
  }

  async #claim(due: Due, webhook: StoredWebhook): Promise<ClaimedDelivery | undefined> {
    const { database, clock } = this.#deps;
    const now = clock.now();
    const usual = webhook.timeoutSeconds;
    const delivery = await claimDelivery(database, due, now, addSeconds(now, usual + LEASE_MARGIN));
    const seconds = delivery ? timeoutOf(this.#deps, webhook, delivery.event) : usual;
    if (delivery && seconds > usual) {
      await extendLease(database, delivery, addSeconds(now, seconds + LEASE_MARGIN));
    }
    return delivery;
  }

  /** Whether the receiver has taken it. */
  async #deliver(webhook: StoredWebhook, delivery: ClaimedDelivery): Promise<boolean> {
    const sent = sendDelivery(this.#deps, webhook, delivery).then(async (outcome) => {
      await finishAttempt(this.#deps.database, webhook.id, delivery, outcome);
      return outcome.state === "delivered";
    });
    const flight = sent.then(
      () => {},
      () => {},
    );
    this.#flying.set(flight, delivery);
    return sent.finally(() => this.#flying.delete(flight));
  }
}

/** Starts delivering. */
export function startDeliveries(deps: Deps): Dispatcher {
  return new Dispatcher(deps);
}
