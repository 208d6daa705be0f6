export { findGrant, listGrants, rememberGrant, revokeGrant } from "./grants.ts";
