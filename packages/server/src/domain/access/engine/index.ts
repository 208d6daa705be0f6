export { isCondition } from "./conditions.ts";
export { AccessEngine } from "./engine.ts";
export { EngineCache } from "./engine-cache.ts";
export type { ListedAccess } from "./list.ts";
export type * from "./model.ts";
export { splitPermission } from "./model.ts";
export { isPattern, matches } from "./patterns.ts";
