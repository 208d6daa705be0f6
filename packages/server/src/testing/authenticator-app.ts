import { generateSync } from "otplib";
import { numericDate } from "../kernel/clock.ts";

/** What an authenticator app with this key (base32) shows at a moment. */
export function shownByApp(secret: string, now: Date): string {
  return generateSync({ secret, epoch: numericDate(now) });
}
