export * from "./access.ts";
export * from "./common.ts";
export * from "./errors.ts";
export * from "./events.ts";
export * from "./settings.ts";
export * from "./tenants.ts";
export * from "./users.ts";
