import { newId } from "../../kernel/identifiers.ts";
import { findPrincipal, type Principal } from "../access/index.ts";
import { findApplication, mayUse } from "../applications/index.ts";
import { type Deps, within } from "../deps.ts";
import { formatsOf, type WebhookEvent } from "./formats.ts";
import { matchesEvent } from "./patterns.ts";
import {
  insertDeliveries,
  lockReading,
  moveCursor,
  type NewDelivery,
  type QueuedEvent,
  selectUnreadEvents,
} from "./queue.store.ts";
import { type StoredWebhook, selectActiveWebhooks } from "./webhook.store.ts";

const BATCH = 500;

/**
 * Reads the outbox on from where it was left and makes a delivery for each event and webhook that wants it. Cursor
 * and deliveries are one transaction, so each event is read once, whatever is killed in between.
 *
 * @returns how many events were read; `BATCH` means that there may be more.
 */
function readBatch(deps: Deps): Promise<number> {
  return deps.database.transaction(async (tx) => {
    await lockReading(tx);
    const events = await selectUnreadEvents(tx, BATCH);
    const last = events.at(-1);
    if (!last) return 0;
    const tenants = [...new Set(events.map(({ tenantId }) => tenantId))];
    const webhooks = await selectActiveWebhooks(tx, tenants);
    if (webhooks.length > 0) {
      const deliveries = await new Batch(within(deps, tx), webhooks).deliveriesOf(events);
      if (deliveries.length > 0) await insertDeliveries(tx, deliveries, deps.clock.now());
    }
    await moveCursor(tx, last);
    return events.length;
  });
}

/** Reads until nothing is left. */
export async function fillQueue(deps: Deps): Promise<void> {
  while ((await readBatch(deps)) === BATCH);
}

/** Events of one batch are about few users and applications: each is loaded once. */
class Batch {
  readonly #deps: Deps;
  readonly #webhooks: readonly StoredWebhook[];
  readonly #users = new Map<string, Promise<Principal | null>>();
  readonly #entries = new Map<string, Promise<boolean>>();

  constructor(deps: Deps, webhooks: readonly StoredWebhook[]) {
    this.#deps = deps;
    this.#webhooks = webhooks;
  }

  async deliveriesOf(events: readonly QueuedEvent[]): Promise<NewDelivery[]> {
    const deliveries: NewDelivery[] = [];
    for (const event of events) {
      const webhooks = this.#webhooks.filter(({ tenantId }) => tenantId === event.tenantId);
      for (const webhook of webhooks) {
        const delivery = await this.#deliveryOf(event, webhook);
        if (delivery) deliveries.push(delivery);
      }
    }
    return deliveries;
  }

  async #deliveryOf(event: QueuedEvent, webhook: StoredWebhook): Promise<NewDelivery | undefined> {
    const { targetType, targetId, tenantId } = event;
    if (event.occurredAt < webhook.createdAt) return undefined;
    // A request for a synchronization is for one webhook, which need not have subscribed to it.
    const isOwn = event.type === "synchronization.requested";
    if (isOwn && targetId !== webhook.id) return undefined;
    const format = formatsOf(this.#deps).get(webhook.format);
    const isAboutUser = targetType === "user" && targetId !== null;
    const user = isAboutUser ? await this.#user(tenantId, targetId) : null;
    const rendered = format?.render(toWebhookEvent(event, user));
    if (!rendered || !(isOwn || matchesEvent(webhook.events, rendered.event))) return undefined;
    if (!isOwn && !(await this.#mayHear(webhook, event))) return undefined;
    return {
      tenantId,
      id: newId(this.#deps.clock.now()),
      webhookId: webhook.id,
      eventId: event.id,
      event: rendered.event,
      orderingKey: targetId === null ? event.id : `${targetType}:${targetId}`,
      body: rendered.body,
    };
  }

  #user(tenantId: string, id: string): Promise<Principal | null> {
    const key = `${tenantId}/${id}`;
    const found = this.#users.get(key) ?? Promise.resolve(findPrincipal(this.#deps, tenantId, id));
    this.#users.set(key, found);
    return found;
  }

  /** An application's webhook hears of users only, and of those who may use it; of a deletion, too. */
  async #mayHear(webhook: StoredWebhook, event: QueuedEvent): Promise<boolean> {
    const { applicationId, tenantId } = webhook;
    if (applicationId === null) return true;
    if (event.targetType !== "user" || event.targetId === null) return false;
    const key = `${applicationId}/${event.targetId}`;
    const found = this.#entries.get(key) ?? this.#entry(tenantId, applicationId, event.targetId);
    this.#entries.set(key, found);
    return found;
  }

  async #entry(tenantId: string, applicationId: string, userId: string): Promise<boolean> {
    const application = await findApplication(this.#deps, tenantId, applicationId);
    return application?.status === "active" && (await mayUse(this.#deps, application, userId));
  }
}

function toWebhookEvent(event: QueuedEvent, user: Principal | null): WebhookEvent {
  const { actorType, actorId, targetType, targetId, xid: _xid, position: _position, ...rest } = event;
  return {
    ...rest,
    actor: { type: actorType, id: actorId },
    target: targetType === null || targetId === null ? null : { type: targetType, id: targetId },
    user,
  };
}
