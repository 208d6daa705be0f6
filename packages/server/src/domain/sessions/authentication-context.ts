/**
 * How sure we are who somebody is, from the least: one factor; two; two of which one cannot be phished, because a
 * passkey answers only the site it was made for. `phr` is the name that OpenID Connect EAP ACR Values 1.0 gives it.
 */
export const ACR_VALUES = ["urn:ostiary:acr:1", "urn:ostiary:acr:2", "phr"] as const;
export type Acr = (typeof ACR_VALUES)[number];

/** Never stored: it follows from how the person was authenticated (values of RFC 8176). */
export function acrOf(amr: readonly string[]): Acr {
  if (!amr.includes("mfa")) return "urn:ostiary:acr:1";
  return amr.includes("swk") || amr.includes("hwk") ? "phr" : "urn:ostiary:acr:2";
}

export function isAtLeast(acr: Acr, wanted: Acr): boolean {
  return ACR_VALUES.indexOf(acr) >= ACR_VALUES.indexOf(wanted);
}
