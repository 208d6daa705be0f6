import { IdentityError, type KnownDevice } from "@ostiary/contracts";
import { addSeconds } from "../../kernel/clock.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { isId, newId, newSecret } from "../../kernel/identifiers.ts";
import { recordEvent } from "../audit/index.ts";
import type { Deps } from "../deps.ts";
import { deviceName } from "../sessions/index.ts";
import {
  deleteKnownDevice,
  deleteOldestDevices,
  forgetRememberedDevices,
  insertKnownDevice,
  type KnownDeviceRow,
  selectKnownDevice,
  selectKnownDevices,
  touchKnownDevice,
} from "./known-device.store.ts";

/** People of one browser: so many `<id>.<secret>` fit its cookie, the newest first. */
const PEOPLE = 5;
const SEPARATOR = "~";
/** Devices of one user; those not seen for longest go first. */
const DEVICES = 50;
const DAY = 86_400;

/**
 * Whether the user has signed in from this browser before, by the value of its device cookie.
 *
 * @returns null for a new browser, and for one that was used by others only.
 */
export async function findKnownDevice(
  deps: Deps,
  context: RequestContext,
  userId: string,
  cookie: string | undefined,
): Promise<{ id: string; remembered: boolean } | null> {
  const device = await selectDevice(deps, context, userId, cookie);
  if (!device) return null;
  const { id, rememberedUntil } = device;
  return { id, remembered: rememberedUntil !== null && rememberedUntil > deps.clock.now() };
}

/**
 * Keeps in mind that the user has signed in from this browser.
 *
 * @param options.cookie - of the browser. Its secrets are made here only: one that somebody else has planted becomes
 *   nobody's device.
 * @param options.days - so long no second factor is asked for; null or 0: the device is known, and remembered as before.
 * @returns the cookie's next value, and whether the browser was new for this user.
 */
export async function rememberDevice(
  deps: Deps,
  context: RequestContext,
  userId: string,
  { cookie, days }: { cookie: string | undefined; days: number | null },
): Promise<{ cookie: string; isNew: boolean }> {
  const { database } = deps;
  const { tenantId, ip } = context;
  const now = deps.clock.now();
  const remember = days === null || days === 0 ? null : addSeconds(now, days * DAY);
  const known = await selectDevice(deps, context, userId, cookie);
  if (known && cookie !== undefined) {
    await touchKnownDevice(database, tenantId, known.id, { now, ip, remember });
    return { cookie, isNew: false };
  }
  const id = newId(now);
  const secret = newSecret();
  await insertKnownDevice(database, tenantId, userId, hashSecret(deps, secret), {
    id,
    name: deviceName(context.userAgent),
    ip,
    userAgent: context.userAgent?.slice(0, 500) ?? null,
    createdAt: now,
    lastSeenAt: now,
    rememberedUntil: remember,
  });
  await deleteOldestDevices(database, tenantId, userId, DEVICES);
  const others = partsOf(cookie).slice(0, PEOPLE - 1);
  return { cookie: [`${id}.${secret}`, ...others].join(SEPARATOR), isNew: true };
}

/** The browsers from which the user has signed in, the last one first. The caller has asked who may see them. */
export async function listKnownDevices(
  deps: Deps,
  context: RequestContext,
  userId: string,
): Promise<KnownDevice[]> {
  const rows = await selectKnownDevices(deps.database, context.tenantId, userId);
  return rows.map((row) => toDevice(row, deps.clock.now()));
}

/** @throws IdentityError `device.not_found` */
export async function forgetDevice(
  deps: Deps,
  context: RequestContext,
  userId: string,
  id: string,
): Promise<void> {
  await deps.database.transaction(async (tx) => {
    if (!(await deleteKnownDevice(tx, context.tenantId, userId, id)))
      throw new IdentityError("device.not_found");
    const target = { type: "user", id: userId };
    await recordEvent(deps, tx, context, { type: "device.forgotten", target, data: { id } });
  });
}

/** Of all of the user's devices the second factor is asked again. */
export async function forgetRemembered(deps: Deps, context: RequestContext, userId: string): Promise<void> {
  await deps.database.transaction((tx) => forgetRememberedDevices(tx, context.tenantId, userId));
}

function selectDevice(
  deps: Deps,
  context: RequestContext,
  userId: string,
  cookie: string | undefined,
): Promise<KnownDeviceRow | undefined> {
  const secrets = partsOf(cookie).map((part) => ({
    id: part.slice(0, 24),
    hash: hashSecret(deps, part.slice(25)),
  }));
  if (secrets.length === 0) return Promise.resolve(undefined);
  return selectKnownDevice(deps.database, context.tenantId, userId, secrets);
}

/** What of the cookie has the form that we give it. */
function partsOf(cookie: string | undefined): string[] {
  if (cookie === undefined || cookie.length > 1_024) return [];
  const isPart = (part: string) => isId(part.slice(0, 24)) && /^\.[\w-]{43}$/.test(part.slice(24));
  return cookie.split(SEPARATOR).filter(isPart).slice(0, PEOPLE);
}

function hashSecret(deps: Deps, secret: string): Buffer {
  return deps.secrets.keyedHash(secret, "known-device");
}

function toDevice(row: KnownDeviceRow, now: Date): KnownDevice {
  const remembered = row.rememberedUntil !== null && row.rememberedUntil > now ? row.rememberedUntil : null;
  return {
    id: row.id,
    device: row.name,
    ip: row.ip,
    userAgent: row.userAgent,
    createdAt: row.createdAt.toISOString(),
    lastSeenAt: row.lastSeenAt.toISOString(),
    rememberedUntil: remembered?.toISOString() ?? null,
  };
}
