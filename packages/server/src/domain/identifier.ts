/**
 * What a person types to say who he is: username, e-mail address or phone number.
 *
 * A username that looks like somebody's address must not take that person's sign-ins, so what was proven comes
 * first: a verified address or number, then a username, then an unverified one.
 */

/** SQL: which rows of `users u` an identifier may mean; `$1` is the tenant, `$2` the identifier. Uses the indexes. */
export const MATCHES_IDENTIFIER = `u.tenant_id = $1 and u.status <> 'deleted'
  and (lower(u.username) = lower($2) or lower(u.email) = lower($2)
       or u.phone = regexp_replace($2, '[\\s().-]', '', 'g'))`;

/** SQL: `order by` that puts the one that is meant first. */
export const BEST_MATCH = `case when lower(u.email) = lower($2) and u.email_verified then 1
  when u.phone = regexp_replace($2, '[\\s().-]', '', 'g') and u.phone_verified then 2
  when lower(u.username) = lower($2) then 3
  else 4 end`;

/** Longer ones cannot be anybody's; in characters. */
const MAXIMUM_IDENTIFIER = 256;

/** The identifier as it is looked up, or null when it can be nobody's: PostgreSQL's text knows no null character. */
export function normalizedIdentifier(identifier: string): string | null {
  const text = identifier.trim();
  return text === "" || text.length > MAXIMUM_IDENTIFIER || text.includes("\0") ? null : text;
}

/** A phone number without the marks that people put between digits. */
export function normalizedPhone(phone: string): string {
  return phone.replace(/[\s().-]/g, "");
}
