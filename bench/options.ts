import { parseArgs } from "node:util";

export const HELP = `npm run bench [-- options]

Measures the built server: operations per second of its CPU, beside the limits of the machine measured in the same run.

  --only NAMES     comma-separated; measure these only: ${"verify, introspection, userinfo, access-check, is-login, sign-in, client-es256,"}
                   client-rs256, rotation, rotation-openid, sign-in-totp, sign-in-passkey, wrong-passwords,
                   zibanu-check, zibanu-login, process (memory and start). Their limits come with them.
  --seconds N      length of one measurement (default 3)
  --rounds N       every measurement is repeated so often, in turn with all others; the median counts (default 5)
  --users N        size of the large database (default 1000000). The small one has 1000
  --tenants N      tenants of the large database (default 1000). The small one has 1
  --quick          the small database only, one short round: to see that everything works, not how fast
  --out DIR        where the results are written (default bench/results)
  --profile NAME   measures only NAME, on the small database, under the profiler; writes a .cpuprofile into DIR
  --help

Example: npm run bench -- --only verify,userinfo --seconds 5 --users 100000
`;

export interface Options {
  only: ReadonlySet<string> | null;
  seconds: number;
  rounds: number;
  users: number;
  tenants: number;
  quick: boolean;
  out: string | null;
  profile: string | null;
}

/** @throws Error in a sentence for the person when an option is wrong; null when only help is wanted. */
export function readOptions(args: string[]): Options | null {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: "string" },
      seconds: { type: "string" },
      rounds: { type: "string" },
      users: { type: "string", default: "1000000" },
      tenants: { type: "string", default: "1000" },
      quick: { type: "boolean", default: false },
      out: { type: "string" },
      profile: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return null;
  const { quick, profile } = values;
  const only = profile ?? values.only;
  return {
    only: only === undefined ? null : new Set(only.split(",").map((name) => name.trim())),
    seconds: positive("seconds", values.seconds ?? (quick ? "0.5" : "3")),
    rounds: whole("rounds", values.rounds ?? (quick || profile ? "1" : "5"), 1),
    users: whole("users", values.users, 1_000),
    tenants: whole("tenants", values.tenants, 1),
    quick,
    out: values.out ?? null,
    profile: profile ?? null,
  };
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`--${name} must be a number above 0.`);
  return value;
}

function whole(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least) {
    throw new Error(`--${name} must be a whole number of at least ${least}.`);
  }
  return value;
}
