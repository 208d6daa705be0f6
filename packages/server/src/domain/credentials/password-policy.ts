import type { ErrorCode } from "@ostiary/contracts";
import type { BreachedPasswords } from "./breached-passwords.ts";

export interface PasswordPolicy {
  /** In characters (Unicode code points). Default 8: NIST SP 800-63B §5.1.1.2. */
  minimumLength?: number;
  /** In characters. Default 256, which always fits the 1,024 bytes of MAXIMUM_PASSWORD_BYTES. */
  maximumLength?: number;
}

export interface PasswordContext {
  /** The user's names and addresses: username, e-mail, phone, nickname. Empty ones are ignored. */
  identifiers: readonly string[];
  /** Whether the user has chosen to have a secure password. */
  secure?: boolean;
  /** Whether the password is one of the user's last n. Expensive, so it is asked only when all else is well. */
  isReused?: (password: string) => Promise<boolean>;
  breached?: BreachedPasswords;
}

/** The rule that a password breaks; each is an error code. */
export type PasswordViolation = Extract<
  ErrorCode,
  | "password.too_short"
  | "password.too_long"
  | "password.contains_identifier"
  | "password.breached"
  | "password.reused"
  | "password.not_secure"
>;

const DEFAULT_MINIMUM_LENGTH = 8;
const DEFAULT_MAXIMUM_LENGTH = 256;
/** A shorter identifier forbids only itself: the user "a" may use the letter a. */
const SHORTEST_FORBIDDEN_PART = 4;

/**
 * Every rule of the policy that the password breaks, in the order of the list above; empty when it may be used.
 * There are no rules on kinds of characters, which NIST SP 800-63B §5.1.1.2 advises against.
 */
export async function checkPasswordPolicy(
  policy: PasswordPolicy,
  password: string,
  context: PasswordContext,
): Promise<PasswordViolation[]> {
  const violations: PasswordViolation[] = [];
  const length = [...password.normalize("NFKC")].length;
  const maximum = policy.maximumLength ?? DEFAULT_MAXIMUM_LENGTH;
  if (length < (policy.minimumLength ?? DEFAULT_MINIMUM_LENGTH)) violations.push("password.too_short");
  if (length > maximum || [...password].length > maximum) return [...violations, "password.too_long"];
  if (containsIdentifier(password, context.identifiers)) violations.push("password.contains_identifier");
  if (context.secure && !isSecurePassword(password)) violations.push("password.not_secure");
  if (await context.breached?.isBreached(password)) violations.push("password.breached");
  if (violations.length === 0 && (await context.isReused?.(password))) violations.push("password.reused");
  return violations;
}

const SECURE_LENGTH = 12;
const SECURE_KINDS = [/[a-z]/, /[A-Z]/, /[0-9]/, /[¡!#$%&()*+.\-@/_~]/];

/** Zibanu's own rule, for users who have it switched on: some length, and each of four kinds of characters. */
function isSecurePassword(password: string): boolean {
  return [...password].length >= SECURE_LENGTH && SECURE_KINDS.every((kind) => kind.test(password));
}

function containsIdentifier(password: string, identifiers: readonly string[]): boolean {
  const folded = fold(password);
  return identifiers
    .flatMap((identifier) => [identifier, identifier.split("@")[0] ?? ""])
    .map(fold)
    .some(
      (part) =>
        part !== "" &&
        (folded === part || ([...part].length >= SHORTEST_FORBIDDEN_PART && folded.includes(part))),
    );
}

function fold(text: string): string {
  return text.normalize("NFKC").toLowerCase().trim();
}
