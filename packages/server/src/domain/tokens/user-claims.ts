import { numericDate } from "../../kernel/clock.ts";
import type { Principal } from "../access/index.ts";

/** A claim about a user, as OpenID Connect Core §5.1 names it; `undefined` where nothing is known. */
const CLAIMS: Record<string, (user: Principal) => unknown> = {
  name: (user) => user.name ?? user.nickname ?? undefined,
  given_name: (user) => user.profile.givenName,
  family_name: (user) => user.profile.familyName,
  middle_name: (user) => user.profile.middleName,
  nickname: (user) => user.nickname,
  preferred_username: (user) => user.profile.preferredUsername ?? user.username,
  profile: (user) => user.profile.profile,
  picture: (user) => user.picture,
  website: (user) => user.profile.website,
  gender: (user) => user.profile.gender,
  birthdate: (user) => user.profile.birthdate,
  zoneinfo: (user) => user.profile.zoneinfo,
  locale: (user) => user.profile.locale,
  updated_at: (user) => numericDate(user.updatedAt),
  email: (user) => user.email,
  email_verified: (user) => (user.email === null ? undefined : user.emailVerified),
  phone_number: (user) => user.phone,
  phone_number_verified: (user) => (user.phone === null ? undefined : user.phoneVerified),
  address: addressOf,
  roles: (user) => user.roles,
};

/** @see https://openid.net/specs/openid-connect-core-1_0.html#ScopeClaims */
const SCOPES: Record<string, readonly string[]> = {
  profile: [
    "name",
    "given_name",
    "family_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "updated_at",
  ],
  email: ["email", "email_verified"],
  phone: ["phone_number", "phone_number_verified"],
  address: ["address"],
  roles: ["roles"],
};

export const SUPPORTED_CLAIMS: readonly string[] = ["sub", ...Object.keys(CLAIMS)];

/** The names of the claims that scopes stand for. */
export function claimsOfScopes(scopes: Iterable<string>): string[] {
  return [...scopes].flatMap((scope) => (Object.hasOwn(SCOPES, scope) ? (SCOPES[scope] ?? []) : []));
}

/** The asked-for claims of which something is known; others are left out (OpenID Connect Core §5.3.2). */
export function userClaims(user: Principal, names: Iterable<string>): Record<string, unknown> {
  const claims: Record<string, unknown> = {};
  for (const name of names) {
    const value = Object.hasOwn(CLAIMS, name) ? CLAIMS[name]?.(user) : undefined;
    if (value !== undefined && value !== null && value !== "") claims[name] = value;
  }
  return claims;
}

/** OpenID Connect Core §5.1.1. */
function addressOf({ profile: { address } }: Principal): unknown {
  if (!address) return undefined;
  const claim = {
    formatted: address.formatted ?? undefined,
    street_address: address.streetAddress ?? undefined,
    locality: address.locality ?? undefined,
    region: address.region ?? undefined,
    postal_code: address.postalCode ?? undefined,
    country: address.country ?? undefined,
  };
  return Object.values(claim).some((part) => part !== undefined) ? claim : undefined;
}
