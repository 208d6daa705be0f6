import type { Exchange, Step } from "./exchange.ts";

/**
 * Walks through steps until one has an answer. A synchronous step costs no tick: for a warm client credentials or
 * introspection request nothing is awaited at all.
 */
export function runSteps(steps: readonly Step[], exchange: Exchange, from = 0): void | Promise<void> {
  for (let index = from; index < steps.length; index++) {
    const pending = steps[index]?.(exchange);
    if (pending instanceof Promise) {
      return pending.then(() => (exchange.answer ? undefined : runSteps(steps, exchange, index + 1)));
    }
    if (exchange.answer) return;
  }
}
