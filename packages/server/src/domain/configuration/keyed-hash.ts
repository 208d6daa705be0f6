import { equalBytes } from "../../kernel/constant-time.ts";
import type { Deps } from "../deps.ts";
import { wrongField } from "./run.ts";

/** Tells one installation's keyed hashes from another's; says nothing about the key. */
function fingerprint(deps: Deps): string {
  return deps.secrets
    .keyedHash("installation", "configuration-fingerprint")
    .subarray(0, 6)
    .toString("base64url");
}

/** A keyed hash as the file has it: `hmac-sha256:<installation>:<digest>`. */
export function writeKeyedHash(deps: Deps, hash: Buffer): string {
  return `hmac-sha256:${fingerprint(deps)}:${hash.toString("base64url")}`;
}

/**
 * @param path - of the field, for the refusal.
 * @throws IdentityError `configuration.invalid` when another installation wrote it: nothing would ever match it here.
 */
export function readKeyedHash(deps: Deps, text: string, path: string): Buffer {
  const [, installation = "", digest = ""] = text.split(":");
  if (!equalBytes(Buffer.from(installation), Buffer.from(fingerprint(deps)))) {
    throw wrongField(
      path,
      "was written by another installation, where alone it is worth something: give a new value",
    );
  }
  return Buffer.from(digest, "base64url");
}
