import { BkAuthError } from "./errors.ts";
import type { BkAuthOptions } from "./options.ts";
import { ProviderType } from "./providers.ts";

/**
 * Options from settings under the names of bkpaas_auth, for an application that moves from Django or is deployed beside
 * one. Values are texts as in an environment, or of their own type; names that are not there leave the default.
 * `BKAUTH_REQUESTS_VERIFY` false is taken, but its absence means true here.
 *
 * @throws BkAuthError `configuration` for a number, a truth value or a provider that cannot be read.
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
    tls: { verify: truth("REQUESTS_VERIFY", text("REQUESTS_VERIFY")) ?? true },
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
