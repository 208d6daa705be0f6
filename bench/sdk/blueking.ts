/**
 * What the BlueKing login costs a request whose session is warm: `npm run bench:sdk`. Each round times the same number of
 * requests with and without it, in turn, and the figure is the median over the rounds. Exit code 1 above the limit.
 */
import { type BkSession, createBkAuth, MemorySession } from "@ostiary/sdk/blueking";
import { bkAuth, type ExpressRequest, type ExpressResponse } from "@ostiary/sdk/blueking/express";

const LIMIT_MICROSECONDS = 20;
const ROUNDS = 31;
const REQUESTS = 5_000;

const TICKET = "0b5e6c9f-8Zq2vXn4mK7pR1sT3uW5yA9cE6gH8jL0";
let calls = 0;
const auth = createBkAuth({
  verifyUrl: "https://login.example.com/login/api/v3/is_login/",
  appCode: "bench",
  appSecret: "a-secret-of-the-bench",
  sessionTimeout: 86_400,
  transport: async () => {
    calls += 1;
    return {
      status: 200,
      body: '{"result": true, "code": 0, "message": "", "data": {"bk_username": "admin"}}',
    };
  },
});

/** A browser's usual cookies, of which ours is one. */
const COOKIE = `csrftoken=Yb2xkQ0vZ1; blueking_language=zh-cn; bk_token=${TICKET}; sessionid=8q7w6e5r4t3y2u1i`;
const request: ExpressRequest = {
  headers: { host: "app.example.com", cookie: COOKIE },
  protocol: "https",
  originalUrl: "/page",
};
const response: ExpressResponse = { status: () => 0, setHeader: () => 0, end: () => 0 };

/** Microseconds of CPU time for one request: the wall clock would measure what else runs on the machine. */
async function time(middleware: ReturnType<typeof bkAuth>): Promise<number> {
  const began = process.cpuUsage();
  for (let i = 0; i < REQUESTS; i++)
    await new Promise<void>((resolve, reject) => {
      middleware(request, response, (error) => (error ? reject(error) : resolve()));
    });
  const { user, system } = process.cpuUsage(began);
  return (user + system) / REQUESTS;
}

const median = (values: number[]) =>
  values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

async function measure(title: string, session: false | (() => BkSession)): Promise<number> {
  const middleware = bkAuth(auth, { session });
  const nothing: typeof middleware = (_request, _response, next) => void Promise.resolve().then(() => next());
  const added: number[] = [];
  await time(middleware);
  for (let round = 0; round < ROUNDS; round++) {
    const without = await time(nothing);
    added.push((await time(middleware)) - without);
  }
  const result = median(added);
  console.log(
    `${title.padEnd(34)} ${result.toFixed(1)} µs a request (rounds ${added[0]?.toFixed(1)} to ${added.at(-1)?.toFixed(1)})`,
  );
  return result;
}

const shared = new MemorySession();
const results = [
  await measure("session of the framework", () => shared),
  await measure("remembered in the process", false),
];
if (calls !== 2) throw new Error(`the login service was asked ${calls} times: the sessions were not warm`);
console.log(`limit ${LIMIT_MICROSECONDS} µs`);
process.exitCode = results.every((result) => result < LIMIT_MICROSECONDS) ? 0 : 1;
