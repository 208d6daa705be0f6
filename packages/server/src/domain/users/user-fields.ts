import {
  type CreateUser,
  type ErrorCode,
  IdentityError,
  type UserPreferences,
  type UserProfile,
} from "@ostiary/contracts";
import { isObject } from "../../kernel/is-object.ts";
import { normalizedPhone } from "../identifier.ts";
import { mergeCustomValues } from "./custom-values.ts";
import type { TakenField, UserFields } from "./user.store.ts";

/** The fields that a creation or a change may set; absent = unchanged, null = cleared. */
export type FieldChanges = Pick<
  CreateUser,
  | "username"
  | "email"
  | "emailVerified"
  | "phone"
  | "phoneVerified"
  | "externalId"
  | "nickname"
  | "name"
  | "profile"
  | "custom"
  | "preferences"
  | "status"
>;

export const NO_FIELDS: UserFields = {
  username: null,
  email: null,
  emailVerified: false,
  phone: null,
  phoneVerified: false,
  externalId: null,
  nickname: null,
  name: null,
  status: "active",
  profile: {},
  custom: {},
  preferences: {},
};

/** Who can change one of these could become the user: they need as many rights as the user has. */
export const CONTROLLING: ReadonlySet<keyof UserFields> = new Set([
  "username",
  "email",
  "emailVerified",
  "phone",
  "phoneVerified",
  "externalId",
  "status",
]);

/**
 * A user's fields after a change. A new address is not a verified one unless the change says so.
 *
 * @throws IdentityError `user.identifier_required`
 */
export function applyChanges(before: UserFields, change: FieldChanges): UserFields {
  const username = text(change.username, before.username);
  const email = text(change.email, before.email);
  const phone = text(change.phone && normalizedPhone(change.phone), before.phone);
  if (!username && !email && !phone) throw new IdentityError("user.identifier_required");
  const sameEmail = email?.toLowerCase() === before.email?.toLowerCase();
  return {
    username,
    email,
    emailVerified: email !== null && (change.emailVerified ?? (sameEmail && before.emailVerified)),
    phone,
    phoneVerified:
      phone !== null && (change.phoneVerified ?? (phone === before.phone && before.phoneVerified)),
    externalId: text(change.externalId, before.externalId),
    nickname: text(change.nickname, before.nickname),
    name: text(change.name, before.name),
    status: change.status ?? before.status,
    profile: merge(before.profile, change.profile ?? {}) as UserProfile,
    custom: mergeCustomValues(before.custom, change.custom ?? {}),
    preferences: replacing(before.preferences, change.preferences ?? {}),
  };
}

/** The names of the fields in which two versions differ. */
export function changedFields(before: UserFields, after: UserFields): (keyof UserFields)[] {
  return (Object.keys(NO_FIELDS) as (keyof UserFields)[]).filter(
    (field) => canonical(before[field]) !== canonical(after[field]),
  );
}

const TAKEN: Record<TakenField, ErrorCode> = {
  username: "user.username_taken",
  email: "user.email_taken",
  phone: "user.phone_taken",
  externalId: "user.external_id_taken",
  serial: "object.id_taken",
  id: "object.id_taken",
};

/** @throws IdentityError `user.*_taken`, `object.id_taken` */
export function refuseTaken(field: TakenField | undefined): void {
  if (field !== undefined) throw new IdentityError(TAKEN[field]);
}

/** Empty text is no text: two users without a phone number do not share one. */
function text(change: string | null | undefined, before: string | null): string | null {
  return change === undefined ? before : change?.trim() || null;
}

/** JSON merge (RFC 7386): null removes, objects are merged, and what becomes empty goes. */
function merge(before: object, change: object): object {
  const merged = new Map<string, unknown>(Object.entries(before));
  for (const [key, value] of Object.entries(change)) {
    if (value === undefined) continue;
    const old = merged.get(key);
    const next = isObject(value) ? merge(isObject(old) ? old : {}, value) : value;
    if (next === null || next === "" || (isObject(next) && Object.keys(next).length === 0))
      merged.delete(key);
    else merged.set(key, next);
  }
  return Object.fromEntries(merged);
}

/** What programs keep in a preference is theirs: set as a whole, not merged. */
function replacing(before: UserPreferences, change: object): UserPreferences {
  const merged = new Map<string, unknown>(Object.entries(before));
  for (const [key, value] of Object.entries(change)) {
    if (value === null) merged.delete(key);
    else if (value !== undefined) merged.set(key, value);
  }
  return Object.fromEntries(merged) as UserPreferences;
}

/** jsonb does not keep the order of keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    isObject(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
}
