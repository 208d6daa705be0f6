import { equalBytes } from "../../kernel/constant-time.ts";
import type { Deps } from "../deps.ts";

const FAMILY_BYTES = 12;
const GENERATION_BYTES = 4;
const MAC_BYTES = 32;

/** 48 bytes. */
const FORM = /^[A-Za-z0-9_-]{64}$/;

/**
 * A refresh token: family, generation, and a keyed hash over both and the tenant, in base64url. Opaque to clients
 * (RFC 6749 §1.5). Nothing is stored for it but the generation in the family's row; it cannot be made from a stolen
 * database, and one of an older generation is recognized as used.
 */
export function refreshTokenOf(
  deps: Deps,
  tenantId: string,
  family: { id: string; generation: number },
): string | undefined {
  if (family.generation === 0) return undefined;
  const token = Buffer.alloc(FAMILY_BYTES + GENERATION_BYTES + MAC_BYTES);
  token.write(family.id, 0, "hex");
  token.writeUInt32BE(family.generation, FAMILY_BYTES);
  macOf(deps, tenantId, family.id, family.generation).copy(token, FAMILY_BYTES + GENERATION_BYTES);
  return token.toString("base64url");
}

/** What a refresh token says, or undefined where we never issued it in this tenant. */
export function parseRefreshToken(
  deps: Deps,
  tenantId: string,
  text: string,
): { familyId: string; generation: number } | undefined {
  if (!FORM.test(text)) return undefined;
  const token = Buffer.from(text, "base64url");
  const familyId = token.toString("hex", 0, FAMILY_BYTES);
  const generation = token.readUInt32BE(FAMILY_BYTES);
  const mac = token.subarray(FAMILY_BYTES + GENERATION_BYTES);
  return equalBytes(mac, macOf(deps, tenantId, familyId, generation)) ? { familyId, generation } : undefined;
}

function macOf(deps: Deps, tenantId: string, familyId: string, generation: number): Buffer {
  return deps.secrets.keyedHash(`${tenantId} ${familyId} ${generation}`, "refresh-token");
}
