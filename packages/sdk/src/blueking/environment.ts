import { readFileSync } from "node:fs";
import { BkAuthError } from "./errors.ts";
import type { BkAuthOptions } from "./options.ts";
import { ProviderType } from "./providers.ts";
import type { BkTlsOptions } from "./transport.ts";

/**
 * Options from settings under the names of bkpaas_auth, for an application that moves from Django or is deployed beside
 * one. Values are texts as in an environment, or of their own type; names that are not there leave the default.
 * `BKAUTH_REQUESTS_VERIFY` false is taken, but its absence means true here; as in Python it may also be the path of a file
 * with certificate authorities, and `BKAUTH_REQUESTS_CERT` that of a certificate with its key, or of both in a list.
 *
 * @throws BkAuthError `configuration` for a number, a file or a provider that cannot be read.
 * @example createBkAuth(optionsFromEnvironment(process.env));
 */
export function optionsFromEnvironment(settings: Readonly<Record<string, unknown>>): BkAuthOptions {
  const text = (name: string) => {
    const value = settings[`BKAUTH_${name}`];
    return value === undefined || value === null || value === "" ? undefined : String(value);
  };
  const backendType = text("BACKEND_TYPE");
  const provider = text("DEFAULT_PROVIDER_TYPE");
  const superusers = settings["DEFAULT_ADMIN_SUPERUSERS"];
  return withoutUndefined({
    backendType: backendType as BkAuthOptions["backendType"],
    verifyUrl: text("USER_COOKIE_VERIFY_URL"),
    userInfoGatewayUrl: text("USER_INFO_APIGW_URL"),
    multiTenant: truth("ENABLE_MULTI_TENANT_MODE", text("ENABLE_MULTI_TENANT_MODE")),
    userInfoEndpoint: text("TOKEN_USER_INFO_ENDPOINT"),
    appCode: text("TOKEN_APP_CODE"),
    appSecret: text("TOKEN_SECRET_KEY"),
    loginTokenExpiresIn: number("LOGIN_TOKEN_EXPIRE_IN", text("LOGIN_TOKEN_EXPIRE_IN")),
    sessionTimeout: number("SESSION_TIMEOUT", text("SESSION_TIMEOUT")),
    tls: tlsOf(text("REQUESTS_VERIFY"), settings["BKAUTH_REQUESTS_CERT"]),
    mockedUsername: truth("USE_MOCKED_USER_INFO", text("USE_MOCKED_USER_INFO"))
      ? text("MOCKED_USER_NAME")
      : undefined,
    defaultProvider: provider === undefined ? undefined : providerNamed(provider),
    superusers: Array.isArray(superusers)
      ? superusers.map(String)
      : typeof superusers === "string"
        ? superusers.split(",").map((name) => name.trim())
        : undefined,
  });
}

/** [requests: verify, cert] */
function tlsOf(verify: string | undefined, certificate: unknown): BkTlsOptions {
  const isTruth = verify === undefined || /^(true|1|yes|on|false|0|no|off)$/i.test(verify);
  const [cert, key = cert] = Array.isArray(certificate)
    ? certificate.map(String)
    : [certificate || undefined];
  return {
    verify: isTruth ? (truth("REQUESTS_VERIFY", verify) ?? true) : true,
    ...(isTruth ? {} : { ca: fileOf("REQUESTS_VERIFY", verify) }),
    ...(cert === undefined
      ? {}
      : { cert: fileOf("REQUESTS_CERT", String(cert)), key: fileOf("REQUESTS_CERT", String(key)) }),
  };
}

function fileOf(name: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new BkAuthError("configuration", `BKAUTH_${name} names no file that can be read`, { cause: error });
  }
}

function truth(name: string, value: string | undefined): boolean | undefined {
  if (value === undefined) return undefined;
  if (/^(true|1|yes|on)$/i.test(value)) return true;
  if (/^(false|0|no|off)$/i.test(value)) return false;
  throw new BkAuthError("configuration", `BKAUTH_${name} is true or false`);
}

function number(name: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const result = Number(value);
  if (Number.isFinite(result)) return result;
  throw new BkAuthError("configuration", `BKAUTH_${name} is no number`);
}

function providerNamed(name: string): ProviderType {
  const provider = new Map<string, ProviderType>(Object.entries(ProviderType)).get(name);
  if (provider !== undefined) return provider;
  throw new BkAuthError("configuration", "BKAUTH_DEFAULT_PROVIDER_TYPE is UIN, RTX, BK or DATABASE");
}

/** The same options without the names that have no value, as exact optional properties want it. */
function withoutUndefined(
  options: { [K in keyof BkAuthOptions]: BkAuthOptions[K] | undefined },
): BkAuthOptions {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as BkAuthOptions;
}
