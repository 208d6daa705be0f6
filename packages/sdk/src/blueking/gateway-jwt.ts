import { type CryptoKey, decodeProtectedHeader, errors, importSPKI, jwtVerify } from "jose";
import { BoundedMap } from "./bounded-map.ts";
import { BkAuthError } from "./errors.ts";
import { GatewayKeys, type GatewayKeysOptions } from "./gateway-keys.ts";
import { asObject, asText } from "./json.ts";

/** The application that called through the gateway. `verified` is the gateway's word, a strict `true`. */
export interface GatewayApp {
  appCode: string | null;
  verified: boolean;
  tenantMode: string | null;
  tenantId: string | null;
  /** Why the gateway did not verify it. */
  error: string | null;
}

/** The user on whose behalf it called. The username of one who is not verified is only a claim. */
export interface GatewayUser {
  username: string | null;
  verified: boolean;
  tenantId: string | null;
  error: string | null;
}

/** What a gateway JWT proves. */
export interface GatewayIdentity {
  gateway: string;
  issuer: string;
  app: GatewayApp;
  user: GatewayUser;
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  expiresAt: number;
}

export type GatewayVerification =
  | { outcome: "ok"; identity: GatewayIdentity }
  | { outcome: "none" }
  | { outcome: "invalid" | "unavailable"; message: string };

export interface GatewayJwtOptions extends GatewayKeysOptions {
  /** The gateways that may speak for this application: `kid` has to be one of these names. */
  gateways: readonly string[];
  /** For differences between two clocks. Seconds, 0 to 300; default 0, as a gateway dates its tokens 300 s back. */
  clockTolerance?: number;
}

/** Verifies the header `X-Bkapi-JWT`. */
export interface GatewayJwtVerifier {
  /** Never throws; `none` for no header. */
  verify(token: string | undefined): Promise<GatewayVerification>;
}

const MAX_TOKEN = 16_384;
const IMPORTED_KEYS = 100;

/**
 * A verifier for the JWT an API gateway adds to every call. It takes RS512 and nothing else, wants `exp`, `nbf` and
 * `kid`, and refuses a token with an audience, which a gateway never writes.
 *
 * @throws BkAuthError `configuration`
 */
export function gatewayJwt(options: GatewayJwtOptions): GatewayJwtVerifier {
  const { clockTolerance = 0, clock = Date.now } = options;
  if (options.gateways.length === 0) throw new BkAuthError("configuration", "gateways names no gateway");
  if (!(clockTolerance >= 0 && clockTolerance <= 300))
    throw new BkAuthError("configuration", "clockTolerance is 0 to 300 seconds");
  const keys = new GatewayKeys(options);
  const imported = new BoundedMap<CryptoKey>(IMPORTED_KEYS);
  const invalid = (message: string): GatewayVerification => ({ outcome: "invalid", message });

  const verifyWith = async (token: string, pem: string) => {
    const key = imported.get(pem, clock()) ?? (await importSPKI(pem, "RS512"));
    imported.set(pem, key, Number.POSITIVE_INFINITY);
    const verified = await jwtVerify(token, key, {
      algorithms: ["RS512"],
      requiredClaims: ["exp", "nbf"],
      clockTolerance,
      currentDate: new Date(clock()),
    });
    return verified.payload;
  };

  return {
    async verify(token) {
      if (!token) return { outcome: "none" };
      const head = token.length <= MAX_TOKEN ? headOf(token) : undefined;
      if (head === undefined) return invalid("the gateway JWT cannot be read");
      if (!options.gateways.includes(head.gateway)) return invalid("the gateway JWT is of another gateway");
      for (const attempt of ["known", "refreshed"] as const) {
        const pem = await keys.find(head.gateway, head.issuer, attempt);
        if (pem === undefined && attempt === "known") continue;
        if (pem === undefined) return { outcome: "unavailable", message: "no key of the gateway is known" };
        try {
          const payload = await verifyWith(token, pem);
          if (payload.aud !== undefined) return invalid("the gateway JWT has an audience");
          return { outcome: "ok", identity: identityOf(head, payload) };
        } catch (error) {
          // A gateway keeps its name, and so `kid`, when its key changes: a wrong signature may mean a new key.
          const mayBeNewKey = error instanceof errors.JWSSignatureVerificationFailed;
          if (!mayBeNewKey || attempt === "refreshed")
            return invalid(`the gateway JWT is refused (${reason(error)})`);
        }
      }
      return invalid("the gateway JWT is refused");
    },
  };
}

/**
 * A fixed identity from the environment, for development behind no gateway: `APIGW_MANAGER_DUMMY_GATEWAY_NAME`,
 * `APIGW_MANAGER_DUMMY_PAYLOAD_APP_CODE` and `APIGW_MANAGER_DUMMY_PAYLOAD_USERNAME`; what is not empty is verified.
 *
 * @throws BkAuthError `configuration` in production (`NODE_ENV`, unless `production` says otherwise).
 */
export function dummyGatewayJwt(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  production: boolean = process.env["NODE_ENV"] === "production",
): GatewayJwtVerifier {
  if (production) throw new BkAuthError("configuration", "the dummy gateway is for development only");
  const named = (name: string) => asText(environment[`APIGW_MANAGER_DUMMY_${name}`]) ?? null;
  const [appCode, username] = [named("PAYLOAD_APP_CODE"), named("PAYLOAD_USERNAME")];
  const identity: GatewayIdentity = {
    gateway: named("GATEWAY_NAME") ?? "",
    issuer: "",
    app: { appCode, verified: appCode !== null, tenantMode: null, tenantId: null, error: null },
    user: { username, verified: username !== null, tenantId: null, error: null },
    expiresAt: Number.MAX_SAFE_INTEGER,
  };
  return { verify: () => Promise.resolve({ outcome: "ok", identity }) };
}

interface Head {
  gateway: string;
  issuer: string;
}

/** Which key the token asks for: the issuer of the header goes before that of the claims. */
function headOf(token: string): Head | undefined {
  try {
    const header: Record<string, unknown> = { ...decodeProtectedHeader(token) };
    const claims = asObject(JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()));
    const gateway = asText(header["kid"]);
    if (gateway === undefined) return undefined;
    return { gateway, issuer: asText(header["iss"]) ?? asText(claims?.["iss"]) ?? "" };
  } catch {
    return undefined;
  }
}

function identityOf({ gateway, issuer }: Head, payload: Record<string, unknown>): GatewayIdentity {
  const app = asObject(payload["app"]) ?? {};
  const user = asObject(payload["user"]) ?? {};
  const text = (source: Record<string, unknown>, ...names: string[]) =>
    names.map((name) => asText(source[name])).find((value) => value !== undefined) ?? null;
  return {
    gateway,
    issuer,
    app: {
      appCode: text(app, "app_code", "bk_app_code"),
      verified: app["verified"] === true,
      tenantMode: text(app, "tenant_mode"),
      tenantId: text(app, "tenant_id"),
      error: text(app, "valid_error_message"),
    },
    user: {
      username: text(user, "username", "bk_username"),
      verified: user["verified"] === true,
      tenantId: text(user, "tenant_id"),
      error: text(user, "valid_error_message"),
    },
    expiresAt: Number(payload["exp"]) * 1000,
  };
}

const reason = (error: unknown) => (error instanceof errors.JOSEError ? error.code : "malformed");
