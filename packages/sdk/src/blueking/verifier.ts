import { BoundedMap } from "./bounded-map.ts";
import type { BkSettings } from "./options.ts";
import { type BkVerification, verifyTicket } from "./verify-ticket.ts";

/** Refused tickets remembered at once; about 200 bytes each. */
const REFUSALS = 10_000;
/** After a failure the next request asks again this soon: long enough for a burst, too short to be noticed. Seconds. */
const OUTAGE_PAUSE = 1;

/**
 * Verifies tickets so that the service hears of each as rarely as possible: requests for the same ticket share one call,
 * and a refusal is remembered for `negativeCacheSeconds`. A yes is not remembered here; that is what sessions are for.
 */
export class TicketVerifier {
  readonly #settings: BkSettings;
  readonly #running = new Map<string, Promise<BkVerification>>();
  readonly #refused = new BoundedMap<BkVerification>(REFUSALS);

  constructor(settings: BkSettings) {
    this.#settings = settings;
  }

  /** Never throws. `hash` is that of the ticket; the ticket itself is kept nowhere. */
  verify(ticket: string, hash: string, language: string): Promise<BkVerification> {
    const key = `${hash} ${language}`; // the word to a denied user is in a language
    const known = this.#refused.get(key, this.#settings.clock());
    if (known !== undefined) return Promise.resolve(known);
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    const call = verifyTicket(this.#settings, ticket, language)
      .then((verification) => this.#remember(key, verification))
      .finally(() => this.#running.delete(key));
    this.#running.set(key, call);
    return call;
  }

  #remember(key: string, verification: BkVerification): BkVerification {
    const { negativeCacheSeconds, clock, logger } = this.#settings;
    if (verification.outcome === "ok") return verification;
    const isRefusal = verification.outcome === "invalid" || verification.outcome === "denied";
    const pause = isRefusal ? negativeCacheSeconds : Math.min(OUTAGE_PAUSE, negativeCacheSeconds);
    if (pause > 0) this.#refused.set(key, verification, clock() + pause * 1000);
    if (verification.outcome === "invalid") {
      logger.debug?.(verification.message);
      logger.warn("authenticate error: invalid credentials given");
    } else if (verification.outcome === "denied") {
      logger.info?.("the login service denies a user access to this application");
    } else {
      logger.error(`authenticate error: ${verification.message}`);
    }
    return verification;
  }
}
