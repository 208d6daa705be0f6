/**
 * The shapes of the Zibanu services, under their own names: what stands here is what goes over the wire. Times are ISO
 * 8601 texts with an offset; levels are 0 (superuser) to 9 (guest), a lower one may do more.
 */

/** Preferences of a user. The server stores them for the front end and acts on the last two only. */
export interface Profile {
  /** IANA name. */
  timezone: string;
  theme: string;
  /** At most three characters. */
  lang: string;
  /** A data URL or an address, as the server is set up; "" for none. Not in `users.retrieve`. */
  avatar?: string | null;
  /** Seconds. */
  messages_timeout: number;
  keep_logged_in: boolean;
  /** Any JSON. Not in `users.retrieve`. */
  app_settings?: unknown;
  multiple_login: boolean;
  secure_password: boolean;
}

/** What a user may change of their own profile; a field that is left out stays. */
export type ProfileChange = Partial<Profile>;

/** The signed-in user's own view. `profile` is null for a user who has none. */
export interface OwnProfile {
  first_name: string;
  last_name: string;
  last_login: string | null;
  profile: Profile | null;
}

/** A line of the list of users. */
export interface UserSummary {
  id: number;
  full_name: string;
  email: string;
  last_login: string | null;
  is_staff: boolean;
  is_superuser: boolean;
  first_name: string;
  last_name: string;
  level: number;
}

/** What a list of users can be sorted by; after a minus downwards. */
export type UserOrder = keyof UserSummary | `-${keyof UserSummary}`;

/** Everything about a user. */
export interface UserDetails {
  username: string;
  email: string;
  full_name: string;
  first_name: string;
  last_name: string;
  last_login: string | null;
  is_staff: boolean;
  is_superuser: boolean;
  is_active: boolean;
  profile: Profile | null;
  roles: { id: number; name: string }[];
  /** Names of the permissions granted directly. */
  permissions: string[];
}

/** Fields that can be written. Roles and permissions are ids; what `retrieve` gave of roles may be sent back as it is. */
export interface UserFields {
  first_name?: string;
  last_name?: string;
  username?: string;
  password?: string;
  is_staff?: boolean;
  is_superuser?: boolean;
  is_active?: boolean;
  profile?: ProfileChange;
  roles?: readonly (number | { id: number })[] | null;
  permissions?: readonly number[] | null;
}

export type NewUser = UserFields & { email: string };

/** Which user: by id, or by the exact address. With both, the address becomes the user's new one. */
export type UserChange = UserFields & ({ id: number; email?: string } | { email: string });

export interface Group {
  id: number;
  name: string;
  level: number;
}

export interface GroupLevel {
  level: number;
  name: string;
}

/** `codename` and `app` are given by Ostiary, not by the original. */
export interface Permission {
  id: number;
  name: string;
  codename?: string;
  app?: string;
}

export interface Languages {
  default: string;
  /** Name by code. */
  languages: Record<string, string>;
}

export interface DialCode {
  name: string;
  dial_code: string;
}
