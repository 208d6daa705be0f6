export { createZibanuClient, ZibanuClient, type ZibanuOptions } from "./client.ts";
export { ZibanuError, type ZibanuErrorKind } from "./errors.ts";
export type { ZibanuEvents } from "./events.ts";
export type { Credentials, SignInOptions } from "./sign-in.ts";
export { readToken, type TokenUser, type ZibanuSession } from "./token.ts";
export { memoryTokenStore, type StorageLike, storageTokenStore, type TokenStore } from "./token-store.ts";
export type { TransportOptions } from "./transport.ts";
export type * from "./wire.ts";
