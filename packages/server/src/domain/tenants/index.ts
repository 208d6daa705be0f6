export { DEFAULT_SETTINGS } from "./default-settings.ts";
export { findTenantById, findTenantBySlug } from "./find-tenant.ts";
export { isIssuerOf, issuerOf } from "./issuer.ts";
export { linkTo } from "./link-to.ts";
export {
  createTenant,
  DEFAULT_TENANT,
  deleteTenant,
  ensureDefaultTenant,
  getSettings,
  getTenant,
  listTenants,
  replaceSettings,
  updateSettings,
  updateTenant,
} from "./manage-tenants.ts";
