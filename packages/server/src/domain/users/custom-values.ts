import { type CustomField, type FieldError, IdentityError, type JsonValue } from "@ostiary/contracts";

/** In characters; a longer text belongs into a file. */
const LONGEST_STRING = 8_192;
/** RFC 3339 with any precision; the text is kept as it was given. */
const DATE_TIME = /^\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d\d:?\d\d)?)?$/;

/** `values` with what `patch` sets; `null` clears. */
export function mergeCustomValues(
  values: Record<string, JsonValue>,
  patch: Record<string, JsonValue>,
): Record<string, JsonValue> {
  const merged = new Map(Object.entries(values));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, value);
  }
  return Object.fromEntries(merged);
}

/**
 * Whether what is set fits the definitions. Values that are there already are left alone: a definition that was
 * narrowed later must not stop the change of another field.
 *
 * @param requireAll - whether every required field must have a value afterwards.
 * @throws IdentityError `custom_field.invalid_value`; `fields` names each wrong one.
 */
export function checkCustomValues(
  definitions: readonly CustomField[],
  after: Record<string, JsonValue>,
  patch: Record<string, JsonValue>,
  requireAll: boolean,
): void {
  const errors: FieldError[] = [];
  const wrong = (key: string, message: string) =>
    errors.push({ path: `/custom/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`, message });
  for (const [key, value] of Object.entries(patch)) {
    const definition = definitions.find((field) => field.key === key);
    if (!definition) wrong(key, "there is no such custom field");
    else if (value !== null && !fits(definition, value)) wrong(key, expectation(definition));
  }
  for (const { key, required } of definitions) {
    if (required && !Object.hasOwn(after, key) && (requireAll || Object.hasOwn(patch, key))) {
      wrong(key, "is required");
    }
  }
  if (errors.length > 0) throw new IdentityError("custom_field.invalid_value", { fields: errors });
}

function fits(field: CustomField, value: JsonValue): boolean {
  switch (field.type) {
    case "string":
      return typeof value === "string" && value.length <= LONGEST_STRING;
    case "number":
      return typeof value === "number" && Number.isFinite(value);
    case "boolean":
      return typeof value === "boolean";
    case "datetime":
      return (
        typeof value === "string" && DATE_TIME.test(value) && !Number.isNaN(Date.parse(value.slice(0, 10)))
      );
    case "select":
      return typeof value === "string" && field.options.includes(value);
    case "object":
      return typeof value === "object";
  }
}

function expectation(field: CustomField): string {
  if (field.type === "select") return `must be one of: ${field.options.join(", ")}`.slice(0, 500);
  if (field.type === "string") return `must be a string of at most ${LONGEST_STRING} characters`;
  if (field.type === "datetime") return "must be a date and time (RFC 3339)";
  return `must be ${field.type === "object" ? "an object or an array" : `a ${field.type}`}`;
}
