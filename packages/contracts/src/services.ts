import { type Static, Type } from "typebox";
import {
  Id,
  Json,
  type JsonValue,
  Line,
  Lines,
  ListQuery,
  Nullable,
  OneOf,
  Optionals,
  SearchText,
  Serial,
  StrictObject,
  Timestamp,
  Version,
} from "./common.ts";

export const SERVICE_TYPES = ["website", "plugin", "mcp", "other"] as const;
export type ServiceType = (typeof SERVICE_TYPES)[number];
export const SERVICE_ENVIRONMENTS = ["test", "pre", "pro"] as const;
export type ServiceEnvironment = (typeof SERVICE_ENVIRONMENTS)[number];

const ServiceName = Line(128, { minLength: 1, description: "Unique in the application and environment" });
const Tags = Type.Array(Line(64, { minLength: 1 }), { maxItems: 50, uniqueItems: true });
/** Its size is bounded by the limit of the body and by the database's rule. */
const Configuration = Type.Unsafe<Record<string, JsonValue>>({
  type: "object",
  description: "What the running instances are to do: any JSON object, up to 256 KiB",
});

/** A service: one program of one application in one environment, however many instances run. */
export const Service = Type.Object({
  id: Id,
  serial: Serial,
  applicationId: Id,
  name: Type.String(),
  environment: OneOf(SERVICE_ENVIRONMENTS),
  type: OneOf(SERVICE_TYPES),
  nickname: Type.String(),
  description: Type.String(),
  tags: Type.Array(Type.String()),
  status: OneOf(["active", "disabled"]),
  configurationVersion: Version,
  online: Type.Integer({ description: "Instances that were heard of within three minutes" }),
  version: Version,
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type Service = Static<typeof Service>;

const serviceFields = {
  type: OneOf(SERVICE_TYPES),
  nickname: Line(128),
  description: Lines(4_096),
  tags: Tags,
  status: OneOf(["active", "disabled"]),
};

export const CreateService = StrictObject({
  applicationId: Id,
  name: ServiceName,
  environment: OneOf(SERVICE_ENVIRONMENTS),
  ...Optionals(serviceFields),
});
export type CreateService = Static<typeof CreateService>;

export const UpdateService = StrictObject(Optionals(serviceFields));
export type UpdateService = Static<typeof UpdateService>;

export const ServiceQuery = StrictObject({
  ...ListQuery.properties,
  applicationId: Type.Optional(Id),
  environment: Type.Optional(OneOf(SERVICE_ENVIRONMENTS)),
  search: Type.Optional(SearchText),
});
export type ServiceQuery = Static<typeof ServiceQuery>;

export const INSTANCE_STATES = ["online", "offline", "unregistered"] as const;

export const ServiceInstance = Type.Object({
  instanceId: Type.String(),
  state: OneOf(INSTANCE_STATES, { description: "`offline`: not heard of for three minutes" }),
  ips: Type.Array(Type.String()),
  port: Nullable(Type.Integer()),
  metadata: Json,
  registeredAt: Timestamp,
  lastSeenAt: Timestamp,
});
export type ServiceInstance = Static<typeof ServiceInstance>;
export const ServiceInstances = Type.Object({ items: Type.Array(ServiceInstance) });

const InstanceId = Line(255, { minLength: 1, description: "Unique in the service" });
const instanceFields = {
  ips: Nullable(Type.Array(Line(64, { minLength: 1 }), { maxItems: 64 })),
  port: Nullable(Type.Integer({ minimum: 0, maximum: 65_535 })),
  metadata: Nullable(Type.Record(Type.String({ maxLength: 128 }), Json)),
};
const callerFields = {
  applicationId: Type.Optional(Id), // needed unless an application calls with its own token
  name: ServiceName,
  environment: Type.Optional(OneOf(SERVICE_ENVIRONMENTS, { description: "Default `pro`" })),
};

export const RegisterService = StrictObject({
  ...callerFields,
  instanceId: InstanceId,
  ...Optionals(instanceFields),
  type: Type.Optional(serviceFields.type),
  description: Type.Optional(serviceFields.description),
  tags: Type.Optional(Tags),
});
export type RegisterService = Static<typeof RegisterService>;

export const ServiceHeartbeat = StrictObject({
  ...callerFields,
  instanceId: InstanceId,
  ...Optionals(instanceFields),
});
export type ServiceHeartbeat = Static<typeof ServiceHeartbeat>;

export const UnregisterService = StrictObject({ ...callerFields, instanceId: InstanceId });
export type UnregisterService = Static<typeof UnregisterService>;

/** What a service is told about itself. */
export const ServiceState = Type.Object({
  serviceId: Id,
  serial: Serial,
  instanceId: Type.String(),
  configuration: Json,
  configurationVersion: Version,
});
export type ServiceState = Static<typeof ServiceState>;

/** One version of a service's configuration. */
export const ServiceConfiguration = Type.Object({
  version: Version,
  configuration: Json,
  note: Type.String(),
  actorType: Type.String(),
  actorId: Nullable(Type.String()),
  createdAt: Timestamp,
});
export type ServiceConfiguration = Static<typeof ServiceConfiguration>;

export const ServiceConfigurations = Type.Object({
  items: Type.Array(ServiceConfiguration),
  next: Nullable(Type.String(), { description: "`after` of the next page; null on the last" }),
});

export const WriteServiceConfiguration = StrictObject({
  configuration: Configuration,
  note: Type.Optional(Line(512, { description: "Why; shown in the history" })),
});
export type WriteServiceConfiguration = Static<typeof WriteServiceConfiguration>;

export const ServiceConfigurationQuery = StrictObject({
  after: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 2 ** 31 - 1,
      description: "The version you have: waits for a later one",
    }),
  ),
  wait: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 25, default: 25, description: "Seconds to wait at most" }),
  ),
});

export const ServiceHistoryQuery = StrictObject({
  limit: ListQuery.properties.limit,
  after: Type.Optional(Type.String({ maxLength: 10, pattern: "^[1-9][0-9]{0,8}$" })),
});
