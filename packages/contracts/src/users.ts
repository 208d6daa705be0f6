import { type Static, Type } from "typebox";
import { RoleCodes } from "./access.ts";
import {
  Id,
  Json,
  Line,
  Lines,
  Nullable,
  OneOf,
  Optionals,
  Serial,
  StrictObject,
  Timestamp,
  Version,
  WebAddress,
} from "./common.ts";
import { LanguageTag } from "./settings.ts";

export const USER_STATUSES = ["active", "suspended", "deleted"] as const;
export type UserStatus = (typeof USER_STATUSES)[number];

export const Username = Type.String({
  minLength: 1,
  maxLength: 128,
  pattern: '^[^\\s\\u0000-\\u001F\\u007F-\\u009F<>"]+$',
  description: "Unique in the tenant; upper and lower case are the same",
  examples: ["zs"],
});

/** Deliverable looks are enough: only a message shows whether an address exists. */
export const Email = Type.String({
  minLength: 3,
  maxLength: 254,
  pattern:
    '^[^\\s\\u0000-\\u001F\\u007F-\\u009F@<>(),;:"\\\\[\\]]{1,64}@[^\\s\\u0000-\\u001F\\u007F-\\u009F@<>(),;:"\\\\[\\]]+$',
  description: "Unique in the tenant; upper and lower case are the same",
  examples: ["zs@example.com"],
});

export const Phone = Type.String({
  pattern: "^\\+?[0-9]{3,20}$",
  maxLength: 21,
  description: "Digits only, with or without `+` and country code; unique in the tenant",
  examples: ["+8613800000000"],
});

export const Password = Type.String({ minLength: 1, maxLength: 1_024 });

const Picture = Type.String({
  maxLength: 2_048,
  pattern: '^(?:https?://|/)[^\\s\\u0000-\\u001F\\u007F-\\u009F<>"\\\\^`{|}]+$',
  description: "An address of an image",
});

const address = {
  formatted: Nullable(Lines(1_024)),
  streetAddress: Nullable(Lines(512)),
  locality: Nullable(Line(128)),
  region: Nullable(Line(128)),
  postalCode: Nullable(Line(32)),
  country: Nullable(Line(128)),
};

const profile = {
  givenName: Nullable(Line(128)),
  familyName: Nullable(Line(128)),
  middleName: Nullable(Line(128)),
  preferredUsername: Nullable(Line(128)),
  profile: Nullable(WebAddress(), { description: "Address of a page about the person" }),
  picture: Nullable(Picture),
  website: Nullable(WebAddress()),
  gender: Nullable(Line(32)),
  birthdate: Nullable(
    Type.String({ maxLength: 10, pattern: "^[0-9]{4}(?:-[0-9]{2}-[0-9]{2})?$", examples: ["1990-01-31"] }),
    { description: "`YYYY-MM-DD` or `YYYY`; the year 0000 is withheld (OIDC Core §5.1)" },
  ),
  zoneinfo: Nullable(Line(64), { description: "Name in the IANA time zone database" }),
  locale: Nullable(LanguageTag),
  company: Nullable(Line(256)),
  department: Nullable(Line(256)),
  city: Nullable(Line(128)),
  province: Nullable(Line(128)),
  browser: Nullable(Line(512)),
  device: Nullable(Line(512)),
};

/** The standard claims of OIDC Core §5.1 and what directories usually keep. Empty fields are absent. */
export const UserProfile = Type.Object(
  { ...Optionals(profile), address: Type.Optional(Nullable(Type.Object(Optionals(address)))) },
  { description: "Empty fields are absent" },
);
export const UserProfilePatch = StrictObject({
  ...Optionals(profile),
  address: Type.Optional(Nullable(StrictObject(Optionals(address)))),
});
export type UserProfile = Static<typeof UserProfile>;
export type UserProfilePatch = Static<typeof UserProfilePatch>;

const preferences = {
  multipleLogin: Type.Boolean({ description: "May have several sessions at once; default true" }),
  keepLoggedIn: Type.Boolean({ description: "Sessions outlive the browser; default false" }),
  securePassword: Type.Boolean({
    description: "Own passwords must have 12 characters of four kinds; default false",
  }),
  theme: Line(50),
  language: LanguageTag,
  timezone: Line(64),
  messagesTimeout: Type.Integer({ minimum: -2_147_483_648, maximum: 2_147_483_647 }),
  applicationSettings: Json,
};

/** What a user has chosen; kept for the programs that show it. Absent = not chosen. */
export const UserPreferences = Type.Object(Optionals(preferences));
export type UserPreferences = Static<typeof UserPreferences>;
export const UserPreferencesPatch = StrictObject({
  multipleLogin: Type.Optional(Nullable(preferences.multipleLogin)),
  keepLoggedIn: Type.Optional(Nullable(preferences.keepLoggedIn)),
  securePassword: Type.Optional(Nullable(preferences.securePassword)),
  theme: Type.Optional(Nullable(preferences.theme)),
  language: Type.Optional(Nullable(preferences.language)),
  timezone: Type.Optional(Nullable(preferences.timezone)),
  messagesTimeout: Type.Optional(Nullable(preferences.messagesTimeout)),
  applicationSettings: Type.Optional(preferences.applicationSettings),
});
export type UserPreferencesPatch = Static<typeof UserPreferencesPatch>;

export const CustomValues = Type.Record(Type.String(), Json, {
  description: "Custom fields by key; see `/custom-fields`",
});
/** `null` clears a field. */
const CustomValuesPatch = Type.Record(Type.String({ maxLength: 64 }), Json, { maxProperties: 200 });

/** A person with an entry. Never carries a credential. */
export const User = Type.Object({
  id: Id,
  serial: Serial,
  username: Nullable(Type.String()),
  email: Nullable(Type.String()),
  emailVerified: Type.Boolean(),
  phone: Nullable(Type.String()),
  phoneVerified: Type.Boolean(),
  externalId: Nullable(Type.String()),
  nickname: Nullable(Type.String()),
  name: Nullable(Type.String()),
  status: OneOf(USER_STATUSES),
  profile: UserProfile,
  custom: CustomValues,
  preferences: UserPreferences,
  roles: Type.Array(Type.String(), { description: "Codes of the user's roles" }),
  hasPassword: Type.Boolean(),
  registerSource: Type.String(),
  loginsCount: Type.Integer(),
  lastLoginAt: Nullable(Timestamp),
  lastIp: Nullable(Type.String()),
  version: Version,
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type User = Static<typeof User>;

const identity = {
  username: Nullable(Username),
  email: Nullable(Email),
  emailVerified: Type.Boolean(),
  phone: Nullable(Phone),
  phoneVerified: Type.Boolean(),
  externalId: Nullable(Line(256, { minLength: 1 })),
  nickname: Nullable(Line(128)),
  name: Nullable(Line(256)),
  profile: UserProfilePatch,
  custom: CustomValuesPatch,
  preferences: UserPreferencesPatch,
  status: OneOf(["active", "suspended"]),
};

/** A password in the clear, or a hash of any supported format. */
export const PasswordInput = Type.Union([
  StrictObject({ plain: Password }),
  StrictObject({ hash: Type.String({ minLength: 1, maxLength: 1_024 }) }),
]);
export type PasswordInput = Static<typeof PasswordInput>;

export const CreateUser = StrictObject({
  ...Optionals(identity),
  password: Type.Optional(PasswordInput),
  mustChangePassword: Type.Optional(
    Type.Boolean({ description: "Ask for a new password at the first sign-in" }),
  ),
  roles: Type.Optional(RoleCodes),
  registerSource: Type.Optional(Line(64, { minLength: 1, description: "Default `api`" })),
});
export type CreateUser = Static<typeof CreateUser>;

export const UpdateUser = StrictObject(Optionals(identity));
export type UpdateUser = Static<typeof UpdateUser>;

/** What a user may change of himself. Identifiers are not among it: changing one needs proof. */
export const UpdateMe = StrictObject(
  Optionals({
    nickname: identity.nickname,
    name: identity.name,
    profile: identity.profile,
    preferences: identity.preferences,
  }),
);
export type UpdateMe = Static<typeof UpdateMe>;

export const SetPassword = StrictObject({
  password: PasswordInput,
  mustChange: Type.Optional(Type.Boolean({ description: "Ask for a new password at the next sign-in" })),
});
export type SetPassword = Static<typeof SetPassword>;

export const ChangePassword = StrictObject({ current: Password, next: Password });
export type ChangePassword = Static<typeof ChangePassword>;

export const ChangeUsername = StrictObject({ username: Username });

export const CUSTOM_FIELD_TYPES = ["string", "number", "boolean", "datetime", "select", "object"] as const;
export type CustomFieldType = (typeof CUSTOM_FIELD_TYPES)[number];

const CustomFieldKey = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: "^[A-Za-z_][A-Za-z0-9_.-]*$",
  description: "A letter or `_`, then letters, digits and `_ . -`",
});

/** The definition of a field that users of this tenant have beside the standard ones. */
export const CustomField = Type.Object({
  id: Id,
  key: Type.String(),
  type: OneOf(CUSTOM_FIELD_TYPES),
  label: Type.String(),
  options: Type.Array(Type.String(), { description: "The values of a `select`" }),
  required: Type.Boolean({ description: "A user cannot be created or changed without it" }),
  version: Version,
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type CustomField = Static<typeof CustomField>;

const definition = {
  label: Line(128),
  options: Type.Array(Line(256, { minLength: 1 }), { maxItems: 500, uniqueItems: true }),
  required: Type.Boolean(),
};

export const CreateCustomField = StrictObject({
  key: CustomFieldKey,
  type: OneOf(CUSTOM_FIELD_TYPES),
  ...Optionals(definition),
});
export type CreateCustomField = Static<typeof CreateCustomField>;

export const UpdateCustomField = StrictObject({
  type: Type.Optional(OneOf(CUSTOM_FIELD_TYPES, { description: "Fixed: only the present one is accepted" })),
  ...Optionals(definition),
});
export type UpdateCustomField = Static<typeof UpdateCustomField>;

/** The user's picture: where everybody who knows the address finds it, and what it is. */
export const UserAvatar = Type.Object({
  picture: Type.String({
    description: "Its address, which is also the profile's `picture` and the OIDC claim",
  }),
  mediaType: OneOf(["image/png", "image/jpeg", "image/gif", "image/webp"]),
  size: Type.Integer({ minimum: 1, description: "Bytes" }),
});
export type UserAvatar = Static<typeof UserAvatar>;
