import { IdentityError, type Tenant } from "@ostiary/contracts";

/** Ranks of people: a smaller number is a higher one. Groups may have any; a user's own is one of 0 to 5, or 9. */
export const LEVELS = [
  { level: 0, name: "Superuser" },
  { level: 1, name: "Staff" },
  { level: 2, name: "Super Administrator" },
  { level: 3, name: "Administrator" },
  { level: 4, name: "Supervisor" },
  { level: 5, name: "Operator" },
  { level: 9, name: "Guest" },
] as const;

const SUPERUSER = 0;
const STAFF = 1;
/** Of a group that has none, and of a user without a group. */
export const DEFAULT_LEVEL = 5;
const GUEST = 9;

export interface Rank {
  isSuperuser: boolean;
  isStaff: boolean;
  /** Of the groups; empty without one. */
  groupLevels: readonly (number | null)[];
}

/** 0 for superusers, 1 for staff, else the highest of the groups; below 5 only for guests where the tenant says so. */
export function levelOf(
  { isSuperuser, isStaff, groupLevels }: Rank,
  { guestLevel }: Tenant["settings"]["zibanu"],
): number {
  if (isSuperuser) return SUPERUSER;
  if (isStaff) return STAFF;
  const levels = groupLevels.map((level) => level ?? DEFAULT_LEVEL);
  const allGuests = levels.length > 0 && levels.every((level) => level >= GUEST);
  return guestLevel && allGuests ? GUEST : Math.min(DEFAULT_LEVEL, ...levels);
}

/**
 * Nobody makes, changes or deletes somebody above himself.
 *
 * @throws IdentityError `level.too_high`
 */
export function checkLevel(own: number, other: number): void {
  if (other < own) throw new IdentityError("level.too_high", { reason: `level ${other}, own is ${own}` });
}
