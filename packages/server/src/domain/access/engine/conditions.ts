import { BlockList, isIP } from "node:net";
import type { Attributes, Condition, Scalar } from "./model.ts";

/** `null`: cannot be said, because the attribute is missing or something is of the wrong type. */
export type Truth = boolean | null;
export type CompiledCondition = (attributes: Attributes) => Truth;

type Test = (actual: unknown) => Truth;
const UNKNOWN: Test = () => null;

/** Prepares a condition. Never throws: a condition that makes no sense is one that cannot be said to hold or not. */
export function compileCondition({ attribute, operator, value }: Condition): CompiledCondition {
  if (operator === "exists") {
    if (typeof value !== "boolean") return UNKNOWN;
    return (attributes) => (attributeOf(attributes, attribute) !== undefined) === value;
  }
  const test = TESTS[operator]?.(value) ?? UNKNOWN;
  return (attributes) => {
    const actual = attributeOf(attributes, attribute);
    return actual === undefined ? null : test(actual);
  };
}

/** Whether a condition could ever be decided; for the doors through which conditions come in. */
export function isCondition({ operator, value }: Condition): boolean {
  return operator === "exists" ? typeof value === "boolean" : (TESTS[operator]?.(value) ?? null) !== null;
}

/** An attribute that is null or of no own is missing. */
function attributeOf(attributes: Attributes, name: string): unknown {
  return Object.hasOwn(attributes, name) ? (attributes[name] ?? undefined) : undefined;
}

type Value = Condition["value"];

/** By operator: the test for a value, null when the value is not of the operator's type. */
const TESTS: Record<Exclude<Condition["operator"], "exists">, (value: Value) => Test | null> = {
  equals: (value) => equality(value, false),
  not_equals: (value) => equality(value, true),
  in: (value) => membership(value, false),
  not_in: (value) => membership(value, true),
  less: (value) => comparison(value, (a, b) => a < b),
  less_or_equal: (value) => comparison(value, (a, b) => a <= b),
  greater: (value) => comparison(value, (a, b) => a > b),
  greater_or_equal: (value) => comparison(value, (a, b) => a >= b),
  before: (value) => timeComparison(value, (a, b) => a < b),
  after: (value) => timeComparison(value, (a, b) => a > b),
  cidr: networks,
  prefix: (value) =>
    typeof value === "string"
      ? (actual) => (typeof actual === "string" ? actual.startsWith(value) : null)
      : null,
};

const isScalar = (value: unknown): value is Scalar =>
  typeof value === "string" || typeof value === "boolean" || isNumber(value);
const isNumber = (value: unknown): value is number => Number.isFinite(value);

function equality(value: Value, negated: boolean): Test | null {
  if (!isScalar(value)) return null;
  return (actual) =>
    isScalar(actual) && typeof actual === typeof value ? (actual === value) !== negated : null;
}

/** A list of one type; the empty list contains nothing. */
function membership(value: Value, negated: boolean): Test | null {
  if (!Array.isArray(value) || !value.every(isScalar)) return null;
  const [first] = value;
  if (value.some((item) => typeof item !== typeof first)) return null;
  const set = new Set<unknown>(value);
  return (actual) => {
    if (!isScalar(actual) || (first !== undefined && typeof actual !== typeof first)) return null;
    return set.has(actual) !== negated;
  };
}

function comparison(value: Value, compare: (actual: number, value: number) => boolean): Test | null {
  if (!isNumber(value)) return null;
  return (actual) => (isNumber(actual) ? compare(actual, value) : null);
}

function timeComparison(value: Value, compare: (actual: number, value: number) => boolean): Test | null {
  const time = timeOf(value);
  if (time === null) return null;
  return (actual) => {
    const actualTime = timeOf(actual);
    return actualTime === null ? null : compare(actualTime, time);
  };
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

/** Milliseconds since 1970 of an RFC 3339 time with its offset. */
function timeOf(value: unknown): number | null {
  if (typeof value !== "string" || value.length > 40 || !TIME.test(value)) return null;
  const time = Date.parse(value);
  return Number.isNaN(time) ? null : time;
}

/** IPv4 and IPv6 networks; an IPv4 address written as IPv6 (`::ffff:10.0.0.1`) is in the IPv4 network. */
function networks(value: Value): Test | null {
  const list = new BlockList();
  const texts: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (!texts.every((text) => addNetwork(list, text))) return null;
  return (actual) => {
    if (typeof actual !== "string" || actual.includes("%")) return null;
    const family = isIP(actual);
    return family === 0 ? null : list.check(actual, family === 4 ? "ipv4" : "ipv6");
  };
}

function addNetwork(list: BlockList, text: unknown): boolean {
  if (typeof text !== "string") return false;
  const [, address = "", bits] = /^([0-9a-fA-F.:]{2,45})(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = isIP(address);
  const most = family === 4 ? 32 : 128;
  const length = bits === undefined ? most : Number(bits);
  if (family === 0 || length > most) return false;
  list.addSubnet(address, length, family === 4 ? "ipv4" : "ipv6");
  return true;
}
