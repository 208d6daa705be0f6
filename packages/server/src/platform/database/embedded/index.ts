export { type EmbeddedPostgres, startEmbeddedPostgres } from "./supervisor.ts";
