import type { Tenant } from "@ostiary/contracts";
import { addSeconds } from "../../kernel/clock.ts";
import type { Application } from "../applications/index.ts";
import { accessTokenSeconds } from "./issue-access-token.ts";

const DAY_MILLISECONDS = 86_400_000;

/** Seconds since its last use until a refresh token ends (RFC 9700 §4.14.2). */
function refreshTokenSeconds(tenant: Tenant, application: Application): number {
  return application.settings.refreshTokenSeconds ?? tenant.settings.tokens.refreshTokenSeconds;
}

export interface Lifetimes {
  /** Null where the application may not use refresh tokens. */
  refreshExpiresAt: Date | null;
  /** No token of the family is valid after this. Rounded up to whole days, so that rotation seldom changes it. */
  familyExpiresAt: Date;
}

export function lifetimesOf(tenant: Tenant, application: Application, now: Date): Lifetimes {
  const refreshes = application.grantTypes.includes("refresh_token");
  const refreshExpiresAt = refreshes ? addSeconds(now, refreshTokenSeconds(tenant, application)) : null;
  const accessExpiresAt = addSeconds(now, accessTokenSeconds(tenant, application));
  const last = Math.max(accessExpiresAt.getTime(), refreshExpiresAt?.getTime() ?? 0);
  return {
    refreshExpiresAt,
    familyExpiresAt: new Date((Math.floor(last / DAY_MILLISECONDS) + 1) * DAY_MILLISECONDS),
  };
}
