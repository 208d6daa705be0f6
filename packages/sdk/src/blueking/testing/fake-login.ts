import type { BkLogger } from "../log.ts";
import type { BkAuthOptions } from "../options.ts";
import type { BkRequestOut, BkResponseIn, BkTransport } from "../transport.ts";

export const START = Date.parse("2026-01-01T00:00:00Z");
export const SECRET = "app-secret-never-logged";
export const TICKET = "ticket-never-logged";

/** A login service in memory: answers what `answer` says, and keeps what it was asked. */
export class FakeLogin {
  readonly requests: BkRequestOut[] = [];
  answer: (request: BkRequestOut) => BkResponseIn | Promise<BkResponseIn> = () => signedIn("admin");

  readonly transport: BkTransport = async (request) => {
    this.requests.push(request);
    return await this.answer(request);
  };
}

/** Keeps every line, of every level. */
export class LineLogger implements BkLogger {
  readonly lines: string[] = [];
  debug = (message: string) => void this.lines.push(`debug ${message}`);
  info = (message: string) => void this.lines.push(`info ${message}`);
  warn = (message: string) => void this.lines.push(`warn ${message}`);
  error = (message: string) => void this.lines.push(`error ${message}`);
}

/** Everything a test of the whole needs: a service, a clock that stands, and a log. */
export function aWorld(): {
  login: FakeLogin;
  logger: LineLogger;
  clock: { now: number; advance(seconds: number): void };
  options: BkAuthOptions;
} {
  const login = new FakeLogin();
  const logger = new LineLogger();
  const clock = {
    now: START,
    advance(seconds: number) {
      clock.now += seconds * 1000;
    },
  };
  const options: BkAuthOptions = {
    verifyUrl: "https://login.example.com/login/api/v3/is_login/",
    appCode: "my-app",
    appSecret: SECRET,
    transport: login.transport,
    logger,
    clock: () => clock.now,
  };
  return { login, logger, clock, options };
}

export const reply = (status: number, body: unknown): BkResponseIn => ({
  status,
  body: typeof body === "string" ? body : JSON.stringify(body),
});

export const signedIn = (username: unknown): BkResponseIn =>
  reply(200, { result: true, code: 0, message: "", data: { bk_username: username } });

export const refusedTicket = (code = 1_302_100): BkResponseIn =>
  reply(200, { result: false, code, message: "not valid", data: {} });

/** Whose code a transport's error has. */
export const down = (): never => {
  throw Object.assign(new Error(`connect ECONNREFUSED ?bk_token=${TICKET}`), { code: "ECONNREFUSED" });
};
