export { adoptSecret } from "./adopt-secret.ts";
export type { Application } from "./application.store.ts";
export { addSecret, checkClientSecret, deleteSecret, listSecrets } from "./application-secrets.ts";
export { assignUser, listAssigned, mayUse, unassignUser } from "./assign-users.ts";
export { createApplication } from "./create-application.ts";
export { deleteApplication } from "./delete-application.ts";
export {
  findApplication,
  findApplicationByCode,
  findApplicationBySerial,
  isReturnOriginOfApplication,
} from "./find-application.ts";
export { provesToBe } from "./guessed-secrets.ts";
export { isOriginOf } from "./is-origin-of.ts";
export { getApplication, listApplications } from "./list-applications.ts";
export { updateApplication } from "./update-application.ts";
