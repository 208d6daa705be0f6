/**
 * What comes next: at once when the value is there, else when it arrives. For paths that answer from caches nearly
 * always, where each awaited step would cost a tick.
 */
export function after<T, R>(value: T | Promise<T>, next: (value: T) => R | Promise<R>): R | Promise<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}
