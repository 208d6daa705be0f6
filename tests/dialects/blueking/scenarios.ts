import type { Behaviour } from "./login-service.ts";

/** A visit with a cookie header; `service` programs the login service before it, `wait` lets milliseconds pass. */
export interface Visit {
  cookie?: string;
  service?: Behaviour;
  wait?: number;
}

export interface Scenario {
  name: string;
  mode?: "token" | "ticket" | "gateway" | "tenants";
  /** `BKAUTH_SESSION_TIMEOUT`, seconds; 300 unless the scenario is about it. */
  timeout?: number;
  visits: Visit[];
  /** What the TypeScript middleware does otherwise, on purpose: who it takes each visitor for, its calls, and why. */
  improved?: { verdicts: string[]; why: string };
}

const body = (value: unknown, status = 200): Behaviour => ({ body: value, status });
const signedIn = (name: unknown, status = 200) =>
  body({ result: true, code: 0, message: "", data: { bk_username: name } }, status);
const code = (value: unknown, status = 200) =>
  body({ result: false, code: value, message: "没有权限", data: {} }, status);
const ticketOf = (name: unknown) => body({ ret: 0, msg: "", data: { username: name } });
const account = { bk_username: "u1", tenant_id: "system", display_name: "Admin", time_zone: "Asia/Shanghai" };
const error = (status: number) =>
  body({ error: { code: "X", message: "no access", details: [], data: {} } }, status);
const HTML: Behaviour = { body: "<html>oops</html>", headers: { "content-type": "text/html" } };
const DROPPED: Behaviour = { drop: true };

const T = "bk_token=ticket-1";
const U = "bk_token=ticket-2";
const OVER = 2_300; // milliseconds, past a time-out of two seconds and past the pause after a failure

const NO_500 =
  "an answer of the wrong form is a failing service: nobody is signed in, and the page is not a 500";
const STATUS = "only status 200 is a yes: a proxy's error page must not sign anybody in";
const SHORT_MEMORY = "a ticket that was just refused is not asked about again for five seconds";
const GRACE = "a service that is out of reach does not sign people out at once";

const NO_DENIAL = "2.x takes code 1302403 for any other refusal";

/** What 2.0.3 does otherwise than 4.x, and so otherwise than the TypeScript middleware, by scenario. */
const OTHERWISE_IN_2 = new Map<string, { verdicts: string[]; why: string }>([
  ["no right to the application", { verdicts: ["anonymous, 1 call"], why: NO_DENIAL }],
  ["no right, on status 403", { verdicts: ["anonymous, 1 call"], why: NO_DENIAL }],
  ["a right that is taken away", { verdicts: ["ann, 1 call", "anonymous, 1 call"], why: NO_DENIAL }],
  [
    "another user's ticket in the same browser",
    {
      verdicts: ["ann, 1 call", "bob, 1 call", "bob, 1 call"],
      why: "2.x writes the session and then signs in, which empties it: it asks once more",
    },
  ],
]);

export function otherwiseIn2({ name, mode }: Scenario): { verdicts: string[]; why: string } | undefined {
  if (mode === "gateway" || mode === "tenants")
    return { verdicts: ["anonymous"], why: "2.x has no call to a gateway, and here no other address" };
  return OTHERWISE_IN_2.get(name);
}

/** In bk_token mode against the login service, unless they say otherwise. */
export const SCENARIOS: Scenario[] = [
  { name: "no cookie", visits: [{ service: signedIn("admin") }] },
  { name: "an empty cookie", visits: [{ service: signedIn("admin"), cookie: "bk_token=" }] },
  { name: "another cookie only", visits: [{ service: signedIn("admin"), cookie: "bk_ticket=x" }] },
  { name: "a good ticket", visits: [{ service: signedIn("admin"), cookie: T }] },
  { name: "a good ticket, twice", visits: [{ service: signedIn("admin"), cookie: T }, { cookie: T }] },
  {
    name: "a percent-encoded ticket",
    visits: [{ service: signedIn("admin"), cookie: "bk_token=bkcrypt%24gA%3D" }],
  },
  { name: "a ticket in quotes", visits: [{ service: signedIn("admin"), cookie: 'bk_token="a b\\"c\\073"' }] },
  {
    name: "a ticket among other cookies",
    visits: [{ service: signedIn("admin"), cookie: `a=1; ${T} ; b="2"` }],
  },
  { name: "two cookies of the name", visits: [{ service: signedIn("admin"), cookie: `${T}; ${U}` }] },
  {
    name: "a ticket with signs",
    visits: [{ service: signedIn("admin"), cookie: "bk_token=a&b=c+d/e?f#g~h*i'(j)!" }],
  },
  { name: "a Chinese name", visits: [{ service: signedIn("张三"), cookie: T }] },
  { name: "a refused ticket", visits: [{ service: code(1_302_100), cookie: T }] },
  { name: "a refusal with another code", visits: [{ service: code(1), cookie: T }] },
  { name: "a refusal on status 401", visits: [{ service: code(1_302_100, 401), cookie: T }] },
  { name: "a refusal on status 500", visits: [{ service: code(1_302_100, 500), cookie: T }] },
  {
    name: "the code of v1",
    visits: [{ service: body({ code: "00", data: { username: "admin" } }), cookie: T }],
  },
  {
    name: "the form of v2",
    visits: [{ service: body({ bk_error_code: 0, data: { bk_username: "a" } }), cookie: T }],
  },
  { name: "no right to the application", visits: [{ service: code(1_302_403), cookie: T }] },
  { name: "no right, on status 403", visits: [{ service: code(1_302_403, 403), cookie: T }] },
  { name: "a page instead of JSON", visits: [{ service: HTML, cookie: T }] },
  { name: "an empty answer", visits: [{ service: body(""), cookie: T }] },
  { name: "an error page of a proxy", visits: [{ service: { ...HTML, status: 502 }, cookie: T }] },
  { name: "a connection that breaks", visits: [{ service: DROPPED, cookie: T }] },
  {
    name: "a service that comes back",
    visits: [
      { service: DROPPED, cookie: T },
      { service: signedIn("admin"), cookie: T, wait: OVER },
    ],
  },
  {
    name: "another user's ticket in the same browser",
    visits: [{ service: signedIn("ann"), cookie: T }, { service: signedIn("bob"), cookie: U }, { cookie: U }],
  },
  {
    name: "a new ticket of the same user",
    visits: [{ service: signedIn("ann"), cookie: T }, { cookie: U }, { cookie: U }],
  },
  {
    name: "a cookie that goes and comes back",
    visits: [{ service: signedIn("ann"), cookie: T }, {}, { cookie: T }],
  },
  {
    name: "a session older than the time-out",
    timeout: 2,
    visits: [{ service: signedIn("ann"), cookie: T }, { cookie: T }, { cookie: T, wait: OVER }],
  },
  {
    name: "a ticket that is refused after the time-out",
    timeout: 2,
    visits: [
      { service: signedIn("ann"), cookie: T },
      { service: code(1_302_100), cookie: T },
      { cookie: T, wait: OVER },
    ],
  },
  {
    name: "a right that is taken away",
    timeout: 2,
    visits: [
      { service: signedIn("ann"), cookie: T },
      { service: code(1_302_403), cookie: T, wait: OVER },
    ],
  },
  {
    name: "a service that sets a cookie",
    visits: [
      { service: { ...signedIn("ann"), headers: { "set-cookie": "spy=1; Path=/" } }, cookie: T },
      { service: signedIn("ann"), cookie: U },
    ],
  },

  { name: "a bk_ticket", mode: "ticket", visits: [{ service: ticketOf("tom"), cookie: "bk_ticket=t" }] },
  {
    name: "a refused bk_ticket",
    mode: "ticket",
    visits: [{ service: body({ ret: 1, msg: "no", data: {} }), cookie: "bk_ticket=t" }],
  },
  {
    name: "a bk_ticket answered without ret",
    mode: "ticket",
    visits: [{ service: body({ data: { username: "tom" } }), cookie: "bk_ticket=t" }],
  },
  { name: "a bk_ticket and a page", mode: "ticket", visits: [{ service: HTML, cookie: "bk_ticket=t" }] },
  {
    name: "a bk_token where a bk_ticket is wanted",
    mode: "ticket",
    visits: [{ service: ticketOf("tom"), cookie: T }],
  },

  { name: "a gateway's account", mode: "gateway", visits: [{ service: body({ data: account }), cookie: T }] },
  {
    name: "a gateway's account without a tenant or a name to show",
    mode: "gateway",
    visits: [{ service: body({ data: { bk_username: "u1", display_name: "" } }), cookie: T }],
  },
  { name: "a bad ticket at the gateway", mode: "gateway", visits: [{ service: error(400), cookie: T }] },
  {
    name: "an application the gateway does not know",
    mode: "gateway",
    visits: [{ service: error(401), cookie: T }],
  },
  { name: "no right, by the gateway", mode: "gateway", visits: [{ service: error(403), cookie: T }] },
  { name: "a wrong address of the gateway", mode: "gateway", visits: [{ service: error(404), cookie: T }] },
  { name: "a failing gateway", mode: "gateway", visits: [{ service: error(500), cookie: T }] },
  { name: "a gateway's page", mode: "gateway", visits: [{ service: HTML, cookie: T }] },
  {
    name: "a user with a tenant",
    mode: "tenants",
    visits: [{ service: body({ data: account }), cookie: T }],
  },

  {
    name: "a yes on an error status",
    visits: [{ service: signedIn("admin", 500), cookie: T }],
    improved: { verdicts: ["anonymous, 1 call"], why: STATUS },
  },
  {
    name: "code false, which Python takes for 0",
    visits: [{ service: body({ code: false, data: { bk_username: "admin" } }), cookie: T }],
    improved: { verdicts: ["anonymous, 1 call"], why: NO_500 },
  },
  ...([[], { code: 0 }, { code: 0, data: null }, { code: 0, data: { bk_username: null } }] as unknown[]).map(
    (answer): Scenario => ({
      name: `the answer ${JSON.stringify(answer)}`,
      visits: [{ service: body(answer), cookie: T }],
      improved: { verdicts: ["anonymous, 1 call"], why: NO_500 },
    }),
  ),
  {
    name: "an empty name",
    visits: [{ service: signedIn(""), cookie: T }],
    improved: { verdicts: ["anonymous, 1 call"], why: "a user without a name is nobody" },
  },
  {
    name: "a redirect",
    visits: [{ service: { status: 302, headers: { location: "elsewhere" } }, cookie: T }],
    improved: {
      verdicts: ["anonymous, 1 call"],
      why: "a redirect would carry the application's secret and the ticket to wherever it points",
    },
  },
  {
    name: "a refused ticket that is shown again",
    visits: [
      { service: code(1_302_100), cookie: T },
      { cookie: T },
      { service: signedIn("late"), cookie: T },
    ],
    improved: { verdicts: ["anonymous, 1 call", "anonymous", "anonymous"], why: SHORT_MEMORY },
  },
  {
    name: "a right that is still missing",
    visits: [{ service: code(1_302_403), cookie: T }, { cookie: T }],
    improved: { verdicts: ["403 没有权限, 1 call", "403 没有权限"], why: SHORT_MEMORY },
  },
  {
    name: "a service that fails after the time-out",
    timeout: 2,
    visits: [
      { service: signedIn("ann"), cookie: T },
      { service: DROPPED, cookie: T, wait: OVER },
      { service: signedIn("ann"), cookie: T, wait: OVER },
    ],
    improved: {
      verdicts: ["ann, 1 call", "ann, 1 call", "ann, 1 call"],
      why: GRACE,
    },
  },
  {
    name: "a gateway's own words, without an error object",
    mode: "gateway",
    visits: [
      {
        service: body({ code: 1_640_301, code_name: "X", message: "no", result: false, data: null }, 403),
        cookie: T,
      },
    ],
    improved: { verdicts: ["anonymous, 1 call"], why: NO_500 },
  },
  {
    name: "a gateway's status 201",
    mode: "gateway",
    visits: [{ service: body({ data: account }, 201), cookie: T }],
    improved: { verdicts: ["anonymous, 1 call"], why: NO_500 },
  },
  {
    name: "a gateway's account without a name",
    mode: "gateway",
    visits: [{ service: body({ data: {} }), cookie: T }],
    improved: { verdicts: ["anonymous, 1 call"], why: NO_500 },
  },
  {
    name: "a user without a tenant",
    mode: "tenants",
    visits: [{ service: body({ data: { ...account, tenant_id: "" } }), cookie: T }],
    improved: { verdicts: ["anonymous, 1 call"], why: "a wrong setting stops the login, not the page" },
  },
];
