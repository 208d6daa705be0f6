export { ConfigurationError, readConfig, SETTINGS, type ServerConfig } from "./config.ts";
export { type DatabaseFacts, diagnoseDatabase } from "./diagnose.ts";
export { type LocalAnswer, type LocalServer, migrateDatabase, openLocal, rekey } from "./local.ts";
export { type RunningServer, startServer } from "./main.ts";
