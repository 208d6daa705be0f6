import type { ZibanuSession } from "./token.ts";
import type { ProfileChange } from "./wire.ts";

/** What a listener is told. */
export interface ZibanuEvents {
  login: ZibanuSession;
  /** Signed out by `logout`. */
  logout: undefined;
  /** The token was exchanged for a new one. */
  refresh: ZibanuSession;
  /** The sign-in ended by itself: the token ran out, or the server no longer takes it. Show the sign-in page. */
  expired: undefined;
  /** The user's own profile was changed by this client. */
  profile: ProfileChange;
}

type Listener<Name extends keyof ZibanuEvents> = (value: ZibanuEvents[Name]) => void;

/** Listeners of one client. One that throws does not disturb the others, nor the call that told it. */
export class Listeners {
  readonly #all = new Map<keyof ZibanuEvents, Set<Listener<never>>>();

  /** @returns what ends the listening. */
  on<Name extends keyof ZibanuEvents>(name: Name, listener: Listener<Name>): () => void {
    const set = this.#all.get(name) ?? new Set();
    this.#all.set(name, set.add(listener as Listener<never>));
    return () => void set.delete(listener as Listener<never>);
  }

  tell<Name extends keyof ZibanuEvents>(name: Name, value: ZibanuEvents[Name]): void {
    for (const listener of [...(this.#all.get(name) ?? [])])
      try {
        (listener as Listener<Name>)(value);
      } catch (error) {
        queueMicrotask(() => {
          throw error; // the listener's own failure, where the page's or process's handler sees it
        });
      }
  }
}
