import { type Sentence, say } from "./messages.ts";

/** What a field is, or what is wrong with it. */
export type Checked<T> = { value: T } | { error: Sentence };

const NULL = say("This field may not be null.");
const BLANK = say("This field may not be blank.");

/** Numbers are texts too; both ends are trimmed unless told otherwise. */
export function checkText(
  given: unknown,
  options: { maxLength?: number; mayBeBlank?: boolean; keepSpaces?: boolean } = {},
): Checked<string> {
  if (given === null) return { error: NULL };
  if (typeof given !== "string" && typeof given !== "number") return { error: say("Not a valid string.") };
  const text = options.keepSpaces ? String(given) : String(given).trim();
  if (text === "" && !options.mayBeBlank) return { error: BLANK };
  const { maxLength } = options;
  if (maxLength !== undefined && [...text].length > maxLength) {
    return { error: say("Ensure this field has no more than {0} characters.", maxLength) };
  }
  return { value: text };
}

/** One line: what other programs show in a line of theirs has no control characters. */
export function checkLine(
  given: unknown,
  options: { maxLength: number; mayBeBlank?: boolean },
): Checked<string> {
  const checked = checkText(given, options);
  return "value" in checked && /\p{Cc}/u.test(checked.value)
    ? { error: say("Not a valid string.") }
    : checked;
}

const TRUE: readonly unknown[] = [true, "t", "y", "yes", "true", "on", "1", 1];
const FALSE: readonly unknown[] = [false, "f", "n", "no", "false", "off", "0", 0];

export function checkFlag(given: unknown): Checked<boolean> {
  if (given === null || given === "null") return { error: NULL };
  const word = typeof given === "string" ? given.trim().toLowerCase() : given;
  if (TRUE.includes(word)) return { value: true };
  if (FALSE.includes(word)) return { value: false };
  return { error: say("Must be a valid boolean.") };
}

const INT32 = 2_147_483_647;

export function checkInteger(given: unknown): Checked<number> {
  if (given === null) return { error: NULL };
  const text = typeof given === "number" || typeof given === "string" ? String(given).trim() : "";
  if (!/^[+-]?\d{1,20}(\.0*)?$/.test(text)) return { error: say("A valid integer is required.") };
  const value = Number.parseInt(text, 10);
  if (value > INT32) return { error: say("Ensure this value is less than or equal to {0}.", INT32) };
  if (value < -INT32 - 1) {
    return { error: say("Ensure this value is greater than or equal to {0}.", -INT32 - 1) };
  }
  return { value };
}

/** Contracts' `Email` in their words. */
const EMAIL = /^[^\s\p{Cc}@<>(),;:"\\[\]]{1,64}@[^\s\p{Cc}@<>(),;:"\\[\]]+\.[^\s\p{Cc}@<>(),;:"\\[\].]+$/u;

/** The domain's part in lower case, as Django does. */
export function checkEmail(given: unknown): Checked<string> {
  const checked = checkText(given, { maxLength: 254 });
  if ("error" in checked) return checked;
  if (!EMAIL.test(checked.value)) return { error: say("Enter a valid email address.") };
  const at = checked.value.lastIndexOf("@");
  return { value: checked.value.slice(0, at) + checked.value.slice(at).toLowerCase() };
}

/** Ours has 128 characters where theirs has 150. */
const USERNAME = 128;

export function checkUsername(given: unknown): Checked<string> {
  const checked = checkText(given, { maxLength: USERNAME });
  if ("error" in checked || /^[\p{L}\p{N}@.+_-]+$/u.test(checked.value)) return checked;
  return {
    error: say(
      "Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.",
    ),
  };
}

/** Numbers, as such or as text. */
export function checkNumbers(given: unknown, type: string): Checked<number[]> {
  if (!Array.isArray(given)) return { error: say('Expected a list of items but got type "{0}".', type) };
  const numbers = given.slice(0, MAX_ITEMS).map(toNumber);
  const wrong = numbers.indexOf(undefined);
  if (wrong >= 0 || given.length > MAX_ITEMS) {
    const shown = String(given[Math.max(0, wrong)]).slice(0, 50);
    return { error: say('Invalid pk "{0}" - object does not exist.', shown) };
  }
  return { value: [...new Set(numbers as number[])] };
}

const MAX_ITEMS = 1_000;

/** A serial, or undefined for what can be nobody's. */
export function toNumber(given: unknown): number | undefined {
  const text = typeof given === "number" || typeof given === "string" ? String(given).trim() : "";
  if (!/^\d{1,16}$/.test(text)) return undefined;
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : undefined;
}
