import { addSeconds } from "../../kernel/clock.ts";
import type { Queryable } from "../../platform/database/types.ts";
import { deleteUnseenDevices } from "./known-device.store.ts";
import { deleteExpiredCodes } from "./one-time-code.store.ts";
import { deleteExpiredPasswordLinks } from "./password-link.store.ts";
import { deleteBegunTotps } from "./totp.store.ts";

const DAY = 86_400;
/** A browser that was not seen for so long is a new one, in seconds. */
const UNSEEN_SECONDS = 400 * DAY;

/** What of credentials expires: each deletes at most `limit` rows and returns how many. */
export const CREDENTIAL_EXPIRIES = [
  deleteExpiredCodes,
  deleteExpiredPasswordLinks,
  (database: Queryable, now: Date, limit: number) => deleteBegunTotps(database, addSeconds(now, -DAY), limit),
  (database: Queryable, now: Date, limit: number) =>
    deleteUnseenDevices(database, addSeconds(now, -UNSEEN_SECONDS), limit),
];
