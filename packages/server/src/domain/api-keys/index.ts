export { adoptApiKey, createApiKey, hashApiKey } from "./create-api-key.ts";
export { apiKeyPermissions, findApiKey, finishLastUsed, type VerifiedApiKey } from "./find-api-key.ts";
export { deleteApiKey, getApiKey, listApiKeys, updateApiKey } from "./manage-api-keys.ts";
