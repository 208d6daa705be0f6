export { ConfigurationError, readConfig, SETTINGS, type ServerConfig } from "./config.ts";
export { type RunningServer, startServer } from "./main.ts";
