import type { Attributes, SubjectRef } from "./engine/index.ts";
import type { Principal } from "./find-principal.ts";

/** What is known of a user, by the names that conditions use. Made once for each cached principal. */
const known = new WeakMap<Principal, Attributes>();

/** Profile fields by their names in the profile: `user.department`; custom fields as `user.custom.<key>`. */
function attributesOfUser(principal: Principal): Attributes {
  const made = known.get(principal);
  if (made) return made;
  const { userId, username, email, emailVerified, phone, nickname, name, profile, custom = {} } = principal;
  const facts = {
    ...profile,
    id: userId,
    username,
    email,
    emailVerified,
    phone,
    nickname,
    name,
    createdAt: principal.createdAt.toISOString(),
  };
  const attributes = Object.fromEntries([
    ...Object.entries(facts).map(([key, value]) => [`user.${key}`, value]),
    ...Object.entries(custom).map(([key, value]) => [`user.custom.${key}`, value]),
  ]) as Attributes;
  known.set(principal, attributes);
  return attributes;
}

/** What the asker says, and over it what we know of the subject ourselves. */
export function attributesFor(
  subject: SubjectRef,
  principal: Principal | null,
  given: Attributes | undefined,
  now: Date,
): Attributes {
  const own = principal
    ? attributesOfUser(principal)
    : subject.type === "application"
      ? { "application.id": subject.id }
      : {};
  return { "request.time": now.toISOString(), ...withoutUser(given), ...own };
}

/** Of a user everything is known here: what the asker adds about him is not believed. */
function withoutUser(given: Attributes | undefined): Attributes {
  if (!given) return {};
  const entries = Object.entries(given).filter(([name]) => !name.startsWith("user."));
  return Object.fromEntries(entries);
}
