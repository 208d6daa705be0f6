import type { TenantSettings, TenantSettingsPatch } from "@ostiary/contracts";

const DAY = 86_400;

/** What a tenant has that has set nothing. Units and limits: contracts `settings.ts`. */
export const DEFAULT_SETTINGS: TenantSettings = {
  signUp: "closed",
  signInForm: "together",
  locale: null,
  lockout: { attempts: 10, seconds: 900, maximumSeconds: 3_600 },
  // NIST SP 800-63B §5.1.1.2: eight characters at least, no rules on their kinds, no forced change
  passwordPolicy: { minLength: 8, maxLength: 256, historyLength: 0, checkBreached: false },
  sessions: { idleSeconds: 14 * DAY, absoluteSeconds: 90 * DAY, maximum: null, whenFull: "end-oldest" },
  tokens: {
    // Short, as RFC 9700 §2.2 advises: whoever verifies locally learns of a revocation only by the expiry.
    accessTokenSeconds: 900,
    refreshTokenSeconds: 30 * DAY,
    idTokenSeconds: 3_600,
    codeSeconds: 60,
    signingAlgorithm: "ES256",
    keyRotationDays: 90,
  },
  signIn: {
    methods: ["password", "passkey"],
    secondFactors: ["totp", "passkey", "recovery_code"],
    secondFactor: "enrolled",
    secondFactorRoles: [],
    staleSeconds: null,
    rememberDeviceDays: 30,
    verifyEmail: false,
    changeUsername: false,
    recovery: ["email"],
  },
  branding: { displayName: null, logo: null, accent: null, background: null, scheme: "automatic" },
  zibanu: {
    compat: "1.1",
    errorFormat: "drf",
    language: "automatic",
    timeZone: "UTC",
    tokenSeconds: 3_600,
    sessionSeconds: 30 * DAY,
    acceptBearer: false,
    allowedOrigins: [],
    allowMultipleLogin: false,
    automaticUsername: true,
    automaticPassword: true,
    includeRoles: true,
    includePermissions: false,
    avatarFormat: "base64",
    avatarBytes: 524_288,
    avatarPixels: 4_096,
    defaultTheme: "corporate",
    staffRole: "staff",
    requireProfile: false,
    guestLevel: false,
    dangerMailPasswords: false,
    dangerTellUnknownEmail: false,
    dangerIgnoreLevels: false,
    dangerWeakenOwnPassword: false,
  },
  // What bk-login does, but for cookies, which are Secure where they can be.
  blueking: {
    allowedReturnHosts: [],
    defaultReturnUrl: null,
    requireHttpsReturn: false,
    cookieDomain: null,
    cookieSecure: "automatic",
    ticketCookies: "bk_token",
    ticketSeconds: DAY,
    ticketIdleSeconds: 7_200,
    ticketsPerUser: null,
    requireAppCredentials: false,
    timeZone: "Asia/Shanghai",
    gatewayIssuer: "APIGW",
    gatewayKeyRotationDays: null,
  },
};

/** The stored form holds only what was set, so that a new default reaches every tenant that has not chosen. */
export function completeSettings(stored: TenantSettingsPatch): TenantSettings {
  return mergeSettings(DEFAULT_SETTINGS, stored);
}

/** `base` with what `patch` sets, group by group. `undefined` sets nothing. */
export function mergeSettings<Base extends TenantSettingsPatch>(
  base: Base,
  patch: TenantSettingsPatch,
): Base {
  const merged: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(patch)) {
    if (value === undefined) continue;
    const before = merged[name];
    merged[name] = isGroup(value)
      ? { ...(isGroup(before) ? before : {}), ...withoutUndefined(value) }
      : value;
  }
  return merged as Base;
}

function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function withoutUndefined(group: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(group).filter(([, value]) => value !== undefined));
}
