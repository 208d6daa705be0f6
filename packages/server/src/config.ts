import { resolve } from "node:path";

/** How a setting is read from its environment variable. */
interface Setting<T> {
  /** The environment variable. */
  env: string;
  /** One sentence for `ostiary serve --help` and docs/configuration.md; units included. */
  help: string;
  parse(text: string): T;
  fallback: T;
}

const text = (value: string): string => value;
const optional = (value: string): string | undefined => value;
const list = (value: string): readonly string[] =>
  value
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");

function integer(least: number, most: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < least || number > most) {
      throw new Error(`must be a whole number from ${least} to ${most}`);
    }
    return number;
  };
}

function oneOf<T extends string>(...values: T[]): (value: string) => T {
  return (value) => {
    const found = values.find((allowed) => allowed === value);
    if (found === undefined) throw new Error(`must be one of ${values.join(", ")}`);
    return found;
  };
}

function address(value: string): string {
  const url = new URL(value);
  if (url.protocol !== "https:" && url.protocol !== "http:")
    throw new Error("must begin with https:// or http://");
  if (url.search || url.hash) throw new Error("must have no query and no fragment");
  return url.href.replace(/\/+$/, "");
}

function origin(value: string): string {
  const url = new URL(value);
  const isSafe = url.protocol === "https:" || url.hostname === "localhost";
  if (!isSafe || url.href !== `${url.origin}/`)
    throw new Error("must be origins such as https://login.example.org");
  return url.origin;
}

/**
 * Every setting of the server. The variable's name is `OSTIARY_` and the setting's in capitals, but for `PORT` and
 * `DATABASE_URL`, which have their usual names. What can weaken the server begins with `danger`.
 */
export const SETTINGS = {
  port: {
    env: "PORT",
    help: "TCP port to listen on; 0 takes a free one.",
    parse: integer(0, 65_535),
    fallback: 4000,
  },
  host: {
    env: "OSTIARY_HOST",
    help: "Address to listen on. 0.0.0.0 for every interface, when a reverse proxy with TLS stands before it.",
    parse: text,
    fallback: "127.0.0.1",
  },
  publicUrl: {
    env: "OSTIARY_PUBLIC_URL",
    help: "Address under which people and services reach the server; begins every issuer. Default: http://localhost:PORT.",
    parse: (value: string): string | undefined => address(value),
    fallback: undefined as string | undefined,
  },
  databaseUrl: {
    env: "DATABASE_URL",
    help: "An existing PostgreSQL, 15 or newer. Default: the server runs its own in the data directory.",
    parse: optional,
    fallback: undefined as string | undefined,
  },
  dataDirectory: {
    env: "OSTIARY_DATA_DIRECTORY",
    help: "Folder of the embedded database and of the master key file.",
    parse: (value: string): string => resolve(value),
    fallback: resolve("data"),
  },
  postgresBin: {
    env: "OSTIARY_POSTGRES_BIN",
    help: "bin folder of a system PostgreSQL, 15 or newer, to run instead of the packaged one.",
    parse: optional,
    fallback: undefined as string | undefined,
  },
  poolSize: {
    env: "OSTIARY_POOL_SIZE",
    help: "Database connections of one process, at most; one more listens for changes.",
    parse: integer(2, 200),
    fallback: 10,
  },
  workers: {
    env: "OSTIARY_WORKERS",
    help: "Processes that serve the port together.",
    parse: integer(1, 128),
    fallback: 1,
  },
  masterKey: {
    env: "OSTIARY_MASTER_KEY",
    help: "32 bytes, base64 or hex, that seal secrets in the database. Default: the file master.key in the data directory.",
    parse: optional,
    fallback: undefined as string | undefined,
  },
  previousMasterKeys: {
    env: "OSTIARY_PREVIOUS_MASTER_KEYS",
    help: "Comma-separated older master keys, still able to unseal; see `ostiary migrate --rekey`.",
    parse: list,
    fallback: [] as readonly string[],
  },
  mail: {
    env: "OSTIARY_MAIL",
    help: "How mail is sent: smtp://user:password@host:587, https://hook, file:DIR or log.",
    parse: text,
    fallback: "log",
  },
  sms: {
    env: "OSTIARY_SMS",
    help: "How text messages are sent: https://hook, file:DIR or log. Default: as mail, if that is a file; else log.",
    parse: optional,
    fallback: undefined as string | undefined,
  },
  trustedProxies: {
    env: "OSTIARY_TRUSTED_PROXIES",
    help: "Comma-separated addresses or CIDR ranges of reverse proxies whose X-Forwarded-* headers are believed.",
    parse: list,
    fallback: [] as readonly string[],
  },
  metricsPort: {
    env: "OSTIARY_METRICS_PORT",
    help: "Port of its own for /metrics. Default: the server's port.",
    parse: (value: string): number | undefined => integer(0, 65_535)(value),
    fallback: undefined as number | undefined,
  },
  rateLimits: {
    env: "OSTIARY_RATE_LIMITS",
    help: "Where attempts are counted: postgres (together with all processes) or memory (each process for itself).",
    parse: oneOf("postgres", "memory"),
    fallback: "postgres" as const,
  },
  breachedPasswordsFile: {
    env: "OSTIARY_BREACHED_PASSWORDS_FILE",
    help: "Sorted list of SHA-1 hashes of known passwords (the format of Have I Been Pwned); asked for tenants that check it. Default: none.",
    parse: optional,
    fallback: undefined as string | undefined,
  },
  passkeyOrigins: {
    env: "OSTIARY_PASSKEY_ORIGINS",
    help: "Comma-separated further origins whose pages may use the passkeys of OSTIARY_PUBLIC_URL, e.g. https://login.example.org.",
    parse: (value: string): readonly string[] => list(value).map(origin),
    fallback: [] as readonly string[],
  },
  breachedPasswordsUrl: {
    env: "OSTIARY_BREACHED_PASSWORDS_URL",
    help: "A service that knows breached passwords by the first five characters of their SHA-1, asked besides the file, e.g. https://api.pwnedpasswords.com/range. While it is away passwords pass unchecked. Default: none.",
    parse: (value: string): string | undefined => address(value),
    fallback: undefined as string | undefined,
  },
  passwordConcurrency: {
    env: "OSTIARY_PASSWORD_CONCURRENCY",
    help: "Passwords checked at a time by one process. Default: the cores.",
    parse: (value: string): number | undefined => integer(1, 64)(value),
    fallback: undefined as number | undefined,
  },
  shutdownSeconds: {
    env: "OSTIARY_SHUTDOWN_SECONDS",
    help: "Seconds that requests in flight get when the server stops.",
    parse: integer(0, 600),
    fallback: 15,
  },
  logLevel: {
    env: "OSTIARY_LOG_LEVEL",
    help: "silent, fatal, error, warn, info, debug or trace.",
    parse: oneOf("silent", "fatal", "error", "warn", "info", "debug", "trace"),
    fallback: "info" as "silent" | "fatal" | "error" | "warn" | "info" | "debug" | "trace",
  },
  dangerAllowPrivateTargets: {
    env: "OSTIARY_DANGER_ALLOW_PRIVATE_TARGETS",
    help: "Comma-separated private hosts or CIDR ranges that outgoing calls may reach, e.g. 127.0.0.1.",
    parse: list,
    fallback: [] as readonly string[],
  },
} as const satisfies Record<string, Setting<unknown>>;

type SettingValues = {
  -readonly [Name in keyof typeof SETTINGS]:
    | ReturnType<(typeof SETTINGS)[Name]["parse"]>
    | (typeof SETTINGS)[Name]["fallback"];
};

/** Everything `startServer` needs. The last three exist for throw-away servers only. */
export interface ServerConfig extends SettingValues {
  /** A fresh database in a temporary folder that is removed at the end. */
  ephemeral: boolean;
  /** Adds `POST /_test/clock`. Ephemeral servers only. */
  clockControl: boolean;
  /** The text of a configuration file to apply before the server answers. */
  configuration: string | undefined;
}

export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
}

/**
 * Reads the settings from environment variables; `overrides` (command-line options) win.
 *
 * @throws ConfigurationError naming the variable and what it must be.
 */
export function readConfig(
  env: Record<string, string | undefined>,
  overrides: Partial<ServerConfig> = {},
): ServerConfig {
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(SETTINGS) as [string, Setting<unknown>][]) {
    const given = env[setting.env];
    try {
      values[name] = given === undefined || given === "" ? setting.fallback : setting.parse(given);
    } catch (error) {
      throw new ConfigurationError(`${setting.env} ${(error as Error).message}.`);
    }
  }
  const config = {
    ephemeral: false,
    clockControl: false,
    configuration: undefined,
    ...(values as unknown as SettingValues),
    ...overrides,
  };
  if (config.clockControl && !config.ephemeral) {
    throw new ConfigurationError("The clock can be controlled on an ephemeral server only: add --ephemeral.");
  }
  return config;
}
