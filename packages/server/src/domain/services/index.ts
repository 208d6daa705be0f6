export { finishHeartbeats } from "./heartbeats.ts";
export { heartbeat, registerService, unregisterService } from "./register-service.ts";
export { awaitConfiguration, configureService, listConfigurations } from "./service-configuration.ts";
export {
  createService,
  deleteExpiredInstances,
  deleteService,
  getService,
  listInstances,
  listServices,
  updateService,
} from "./services.ts";
