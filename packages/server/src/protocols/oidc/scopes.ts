/** Scopes about a person: nothing that a program acting for itself can have. */
export const PERSONAL_SCOPES: readonly string[] = [
  "openid",
  "profile",
  "email",
  "address",
  "phone",
  "offline_access",
  "roles",
  "account",
];

/** All that applications can be allowed to ask for. `manage`: the administration API. */
export const SUPPORTED_SCOPES: readonly string[] = [...PERSONAL_SCOPES, "manage"];
