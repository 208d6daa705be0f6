import type { Deps } from "../deps.ts";
import { wrongField } from "./run.ts";

const PURPOSE = "configuration-file";

/** A secret as the file has it, sealed under this installation's master key: `sealed:<base64url>`. */
export function writeSealed(deps: Deps, text: string): string {
  return `sealed:${deps.secrets.seal(text, PURPOSE).toString("base64url")}`;
}

/**
 * @param path - of the field, for the refusal.
 * @throws IdentityError `configuration.invalid` when it was changed, or sealed under a key that is not known here
 */
export function readSealed(deps: Deps, text: string, path: string): string {
  try {
    return deps.secrets.unseal(Buffer.from(text.slice("sealed:".length), "base64url"), PURPOSE);
  } catch {
    throw wrongField(path, "cannot be opened here: it was sealed by another installation. Give a new value");
  }
}
