import type { CreateUser, UpdateUser } from "@ostiary/contracts";
import type { Person, PersonKey, Standing } from "../../domain/levels/index.ts";
import type { Fields } from "./body.ts";
import { pythonType } from "./body.ts";
import type { Call } from "./calls.ts";
import { refuse } from "./errors.ts";
import {
  type Checked,
  checkEmail,
  checkFlag,
  checkLine,
  checkNumbers,
  checkText,
  checkUsername,
  toNumber,
} from "./fields.ts";
import { about, type Sentence, say } from "./messages.ts";
import { type Faults, type ProfileChange, readProfile } from "./profile.ts";

/** What `user/add` and `user/update` say about a user. */
export interface GivenPerson extends Standing {
  email?: string;
  username?: string;
  password?: string;
  givenName?: string;
  familyName?: string;
  isActive?: boolean;
  profile?: ProfileChange;
}

const REQUIRED = say("This field is required.");

/** Reads what a user is to be; unknown fields are passed by. @throws Refusal 406 with everything that is wrong */
export function readPerson(
  fields: Fields,
  { settings }: Pick<Call, "settings">,
  { isNew, isForm }: { isNew: boolean; isForm: boolean },
): GivenPerson {
  const faults: Faults = [];
  const person: GivenPerson = {};
  const required = new Set(isNew ? requiredFields(settings) : []);
  const take = <T>(name: string, check: (given: unknown) => Checked<T>, keep: (value: T) => void) => {
    if (!(name in fields)) {
      if (required.has(name)) faults.push([name, REQUIRED]);
      return;
    }
    const checked = check(fields[name]);
    if ("error" in checked) faults.push([name, checked.error]);
    else keep(checked.value);
  };
  const line = (given: unknown) => checkLine(given, { maxLength: 128, mayBeBlank: true });
  take("email", checkEmail, (value) => Object.assign(person, { email: value }));
  take("is_staff", checkFlag, (value) => Object.assign(person, { isStaff: value }));
  take("is_superuser", checkFlag, (value) => Object.assign(person, { isSuperuser: value }));
  take("is_active", checkFlag, (value) => Object.assign(person, { isActive: value }));
  if ("profile" in fields) {
    const profile = readProfile(
      { value: unpacked(fields["profile"], isForm), isForm: false },
      settings,
      faults,
    );
    if (profile) person.profile = profile;
  }
  take("first_name", line, (value) => Object.assign(person, { givenName: value }));
  take("last_name", line, (value) => Object.assign(person, { familyName: value }));
  if (!isNew || !settings.automaticUsername) {
    take("username", checkUsername, (value) => Object.assign(person, { username: value }));
  }
  if (isNew && !settings.automaticPassword) {
    const check = (given: unknown) => checkText(given, { maxLength: 128 });
    take("password", check, (value) => Object.assign(person, { password: value }));
  }
  readNumbers(fields, "roles", isForm, faults, (groups) => Object.assign(person, { groups }));
  readNumbers(fields, "permissions", isForm, faults, (permissions) => Object.assign(person, { permissions }));
  if (faults.length > 0) {
    throw refuse(406, "api_exception", ...faults.map(([field, fault]): Sentence => about(field, fault)));
  }
  return person;
}

function requiredFields({ automaticUsername, automaticPassword }: Call["settings"]): string[] {
  return ["email", ...(automaticUsername ? [] : ["username"]), ...(automaticPassword ? [] : ["password"])];
}

/** null leaves what is there. */
function readNumbers(
  fields: Fields,
  name: string,
  isForm: boolean,
  faults: Faults,
  keep: (numbers: number[]) => void,
): void {
  const given = unpacked(fields[name], isForm);
  if (given === undefined || given === null) return;
  const checked = checkNumbers(given, pythonType(given));
  if ("error" in checked) faults.push([name, checked.error]);
  else keep(checked.value);
}

/** In a form, lists and objects are JSON texts. */
function unpacked(given: unknown, isForm: boolean): unknown {
  if (!isForm || typeof given !== "string") return given;
  try {
    return JSON.parse(given);
  } catch {
    return given;
  }
}

/** The fields of a user in our words. @param before - undefined for a new one. */
export function toFields(
  given: GivenPerson,
  preferences: NonNullable<UpdateUser["preferences"]>,
  before?: Person,
): CreateUser & UpdateUser {
  const names = given.givenName !== undefined || given.familyName !== undefined;
  const full = [given.givenName ?? before?.givenName, given.familyName ?? before?.familyName];
  return {
    preferences,
    ...(given.email === undefined ? {} : { email: given.email }),
    ...(given.username === undefined ? {} : { username: given.username }),
    ...(given.isActive === undefined
      ? {}
      : { status: given.isActive ? ("active" as const) : ("suspended" as const) }),
    ...(names
      ? {
          name: full.filter(Boolean).join(" ").slice(0, 256) || null,
          profile: {
            ...(given.givenName === undefined ? {} : { givenName: given.givenName || null }),
            ...(given.familyName === undefined ? {} : { familyName: given.familyName || null }),
          },
        }
      : {}),
  };
}

/** The first of the fields that is there says who is meant; null for what can be nobody. */
export function readKey(fields: Fields, names: readonly string[]): PersonKey | null | undefined {
  const name = names.find((one) => one in fields);
  if (name === undefined) return undefined;
  const given = fields[name];
  if (name === "email") return typeof given === "string" ? { email: given } : null;
  const serial = toNumber(given);
  return serial === undefined ? null : { serial };
}
