/**
 * Where this sub-path writes. The levels are those of bkpaas_auth: `debug` for a ticket that is not valid, `info` for
 * logins ended and users created, `warn` for what an operator should look into, `error` for a login service that fails.
 * No ticket, token, secret or response body is ever in a line, at any level.
 */
export interface BkLogger {
  debug?(message: string): void;
  info?(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** Warnings and errors to the console; the rest nowhere. */
export const consoleLogger: BkLogger = {
  warn: (message) => console.warn(message),
  error: (message) => console.error(message),
};
