import type { JsonValue, Tenant, UpdateUser } from "@ostiary/contracts";
import { type AvatarLimits, checkPicture } from "../../domain/users/index.ts";
import { type Fields, type Given, isFields, pythonType } from "./body.ts";
import { isOneOf } from "./errors.ts";
import { type Checked, checkFlag, checkInteger, checkLine } from "./fields.ts";
import { type Sentence, say } from "./messages.ts";
import { isTimeZone } from "./time-zones.ts";

type Settings = Tenant["settings"]["zibanu"];
type Preferences = NonNullable<UpdateUser["preferences"]>;

/** A change of a profile. `avatar`: null takes it away. */
export interface ProfileChange {
  preferences: Preferences;
  avatar: Buffer | null | undefined;
}

/** What is wrong, field by field in the order of their serializer. */
export type Faults = [field: string, fault: Sentence][];

/** Characters of `app_settings` as JSON. */
const APP_SETTINGS = 65_536;

const FLAGS = ["keep_logged_in", "multiple_login", "secure_password"] as const;
const NAMES = {
  keep_logged_in: "keepLoggedIn",
  multiple_login: "multipleLogin",
  secure_password: "securePassword",
} as const;

/** Reads a profile; unknown fields are passed by. Pushes what is wrong to `faults`. */
export function readProfile(
  { value, isForm }: Given,
  settings: Settings,
  faults: Faults,
): ProfileChange | undefined {
  if (value === null) {
    faults.push(["profile", say("This field may not be null.")]);
    return undefined;
  }
  if (!isFields(value)) {
    const fault = say("Invalid data. Expected a dictionary, but got {0}.", pythonType(value));
    faults.push(["non_field_errors", fault]);
    return undefined;
  }
  const before = faults.length;
  const preferences: Preferences = {};
  const take = <T>(name: string, check: (given: unknown) => Checked<T>, keep: (value: T) => void) => {
    if (!(name in value)) return;
    const checked = check(value[name]);
    if ("error" in checked) faults.push([name, checked.error]);
    else keep(checked.value);
  };
  take("timezone", checkTimeZone, (zone) => {
    preferences.timezone = zone;
  });
  take(
    "theme",
    (given) => checkLine(given, { maxLength: 50 }),
    (theme) => {
      preferences.theme = theme;
    },
  );
  take("lang", checkLanguage, (language) => {
    preferences.language = language;
  });
  const avatar = readAvatar(value, settings, faults);
  take("messages_timeout", checkInteger, (timeout) => {
    preferences.messagesTimeout = timeout;
  });
  for (const name of FLAGS) {
    if (isForm && !(name in value)) preferences[NAMES[name]] = false;
    take(name, checkFlag, (flag) => {
      preferences[NAMES[name]] = flag;
    });
  }
  take("app_settings", checkSettings, (own) => {
    preferences.applicationSettings = own;
  });
  return faults.length > before ? undefined : { preferences, avatar };
}

/**
 * What a change may do that somebody makes to a user. Only staff have several sessions at once unless the tenant allows
 * it to all, and nobody weakens his own password. What is not allowed is passed by, as theirs does.
 */
export function allowed(
  preferences: Preferences,
  settings: Settings,
  who: { isStaff: boolean; isSelf: boolean; isSecure: boolean; isTrusted: boolean },
): Preferences {
  const { securePassword, ...rest } = preferences;
  const weakens = securePassword === false && who.isSecure && who.isSelf && !who.isTrusted;
  const keeps = weakens && !settings.dangerWeakenOwnPassword;
  return {
    ...rest,
    ...(securePassword === undefined || keeps ? {} : { securePassword }),
    ...(settings.allowMultipleLogin || who.isStaff ? {} : { multipleLogin: false }),
  };
}

function checkTimeZone(given: unknown): Checked<string> {
  if (given === null) return { error: say("This field may not be null.") };
  if (typeof given === "string" && isTimeZone(given)) return { value: given };
  const shown = typeof given === "object" ? pythonType(given) : String(given).slice(0, 100);
  return { error: say('"{0}" is not a valid choice.', shown) };
}

/** Three characters in theirs; the beginning of a language tag in ours (BCP 47). */
function checkLanguage(given: unknown): Checked<string> {
  const checked = checkLine(given, { maxLength: 3 });
  if ("error" in checked || /^[A-Za-z]{2,3}$/.test(checked.value)) return checked;
  return { error: say("Enter a valid language.") };
}

function checkSettings(given: unknown): Checked<JsonValue> {
  const own = Buffer.isBuffer(given) ? null : (given as JsonValue);
  return JSON.stringify(own).length > APP_SETTINGS
    ? { error: say("Ensure this field has no more than {0} characters.", APP_SETTINGS) }
    : { value: own };
}

/** A data URL or bare base64, or the file of a form; "" and [] take the picture away. */
function readAvatar(value: Fields, settings: Settings, faults: Faults): Buffer | null | undefined {
  if (!("avatar" in value)) return undefined;
  const checked = checkAvatar(value["avatar"], {
    bytes: settings.avatarBytes,
    pixels: settings.avatarPixels,
  });
  if ("value" in checked) return checked.value;
  faults.push(["avatar", checked.error]);
  return undefined;
}

const DATA_URL = /^data:[^,]{0,100};base64,/;
const BASE64 = /^[A-Za-z0-9+/\s]+={0,2}\s*$/;

function checkAvatar(given: unknown, limits: AvatarLimits): Checked<Buffer | null> {
  if (given === null) return { error: say("This field may not be null.") };
  if (given === "" || (Array.isArray(given) && given.length === 0)) return { value: null };
  const bytes = Buffer.isBuffer(given) ? given : decode(given);
  if (!bytes) return { error: say("Please upload a valid image.") };
  if (bytes.length === 0) return { value: null };
  try {
    checkPicture(bytes, limits);
  } catch (error) {
    if (isOneOf(error, "avatar.invalid", "avatar.too_large")) {
      return { error: faultOf(error.reason, limits) };
    }
    throw error;
  }
  return { value: bytes };
}

function decode(given: unknown): Buffer | undefined {
  if (typeof given !== "string") return undefined;
  const base64 = given.replace(DATA_URL, "");
  return BASE64.test(base64) ? Buffer.from(base64, "base64") : undefined;
}

function faultOf(reason: string | undefined, limits: AvatarLimits): Sentence {
  switch (reason) {
    case "bytes":
      return say("The image has more than {0} bytes.", limits.bytes);
    case "pixels":
      return say("The width or height of the file is invalid.");
    case "incomplete":
      return say("Upload a valid image. The file you uploaded was either not an image or a corrupted image.");
    default:
      return say("Please upload a valid image.");
  }
}
