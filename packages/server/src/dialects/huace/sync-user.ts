import { type FieldError, IdentityError, SyncUser } from "@ostiary/contracts";
import { Compile } from "typebox/compile";

/** Whatever their field mappings yield. */
export type TheirUser = Readonly<Record<string, unknown>>;

const checker = Compile(SyncUser);

const STATUSES: Readonly<Record<string, "active" | "suspended">> = {
  active: "active",
  disabled: "suspended",
};

/** Our words for their fields; what we do not know is left out, and so is what is empty. */
export function toSyncUser(their: TheirUser): SyncUser {
  if (typeof their !== "object" || their === null || Array.isArray(their)) {
    throw new IdentityError("request.invalid", { fields: [{ path: "", message: "must be an object" }] });
  }
  const given = (name: string) => {
    const value = their[name];
    return value === "" || value === null ? undefined : value;
  };
  const status = given("status");
  const profile = present({
    picture: given("avatar"),
    company: given("company"),
    department: given("department"),
  });
  const user = present({
    username: given("username"),
    email: given("email"),
    phone: digits(given("phone")),
    nickname: given("nickname"),
    status: typeof status === "string" ? (STATUSES[status] ?? status) : status,
    roles: Array.isArray(their["roles"]) && their["roles"].length === 0 ? undefined : given("roles"),
    profile: Object.keys(profile).length === 0 ? undefined : profile,
    password: passwordOf(given("password"), given("password_hashed")),
  });
  if (!checker.Check(user)) throw new IdentityError("request.invalid", { fields: faults(user) });
  return user;
}

function present(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** People write phone numbers with blanks and hyphens. */
function digits(phone: unknown): unknown {
  return typeof phone === "string" ? phone.replaceAll(/[\s().-]/g, "") || undefined : phone;
}

function passwordOf(plain: unknown, hash: unknown): object | undefined {
  if (hash !== undefined) return { hash };
  return plain === undefined ? undefined : { plain };
}

/** The first few, in their words. Never the value: it may be a password. */
function faults(user: unknown): FieldError[] {
  return [...checker.Errors(user)]
    .slice(0, 5)
    .map(({ instancePath, message }) => ({ path: instancePath, message }));
}
