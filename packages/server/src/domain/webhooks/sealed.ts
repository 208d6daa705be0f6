import type { Deps } from "../deps.ts";
import type { StoredWebhook } from "./webhook.store.ts";

/** Whose secret it is: sealed values of one webhook are nothing in another's row. */
export type Owner = Pick<StoredWebhook, "tenantId" | "id">;

const secretOf = ({ tenantId, id }: Owner) => `webhook-secret:${tenantId}:${id}`;
const headersOf = ({ tenantId, id }: Owner) => `webhook-headers:${tenantId}:${id}`;

export function sealSecret(deps: Deps, owner: Owner, secret: string | null): Buffer | null {
  return secret === null ? null : deps.secrets.seal(secret, secretOf(owner));
}

export function openSecret(deps: Deps, webhook: Owner & Pick<StoredWebhook, "sealedSecret">): string | null {
  return webhook.sealedSecret === null ? null : deps.secrets.unseal(webhook.sealedSecret, secretOf(webhook));
}

export function sealHeaders(
  deps: Deps,
  owner: Owner,
  headers: Readonly<Record<string, string>>,
): Buffer | null {
  return Object.keys(headers).length === 0
    ? null
    : deps.secrets.seal(JSON.stringify(headers), headersOf(owner));
}

export function openHeaders(
  deps: Deps,
  webhook: Owner & Pick<StoredWebhook, "sealedHeaders">,
): Record<string, string> {
  return webhook.sealedHeaders === null
    ? {}
    : (JSON.parse(deps.secrets.unseal(webhook.sealedHeaders, headersOf(webhook))) as Record<string, string>);
}
