import { IdentityError } from "@ostiary/contracts";

/**
 * Refuses to change what somebody else has changed since it was read.
 *
 * @param expected - the version that was read; undefined: whatever it is.
 * @throws IdentityError `precondition.failed`
 */
export function checkVersion(current: number, expected: number | undefined): void {
  if (expected !== undefined && expected !== current) throw new IdentityError("precondition.failed");
}
