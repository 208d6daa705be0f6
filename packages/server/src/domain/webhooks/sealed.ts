import type { Deps } from "../deps.ts";
import type { StoredWebhook } from "./webhook.store.ts";

const SECRET = "webhook-secret";
const HEADERS = "webhook-headers";

export function sealSecret(deps: Deps, secret: string | null): Buffer | null {
  return secret === null ? null : deps.secrets.seal(secret, SECRET);
}

export function openSecret(deps: Deps, { sealedSecret }: Pick<StoredWebhook, "sealedSecret">): string | null {
  return sealedSecret === null ? null : deps.secrets.unseal(sealedSecret, SECRET);
}

export function sealHeaders(deps: Deps, headers: Readonly<Record<string, string>>): Buffer | null {
  return Object.keys(headers).length === 0 ? null : deps.secrets.seal(JSON.stringify(headers), HEADERS);
}

export function openHeaders(
  deps: Deps,
  { sealedHeaders }: Pick<StoredWebhook, "sealedHeaders">,
): Record<string, string> {
  return sealedHeaders === null
    ? {}
    : (JSON.parse(deps.secrets.unseal(sealedHeaders, HEADERS)) as Record<string, string>);
}
