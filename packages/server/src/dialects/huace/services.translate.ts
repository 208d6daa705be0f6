import {
  type JsonValue,
  Line,
  Lines,
  type RegisterService,
  SERVICE_ENVIRONMENTS,
  SERVICE_TYPES,
  type ServiceHeartbeat,
  type ServiceState,
  type ServiceType,
} from "@ostiary/contracts";
import { type Static, Type } from "typebox";

const OrNull = Type.Null();
const Environment = Type.Union([
  Type.Unsafe<(typeof SERVICE_ENVIRONMENTS)[number]>({ type: "string", enum: SERVICE_ENVIRONMENTS }),
  OrNull,
]);
const names = {
  name: Line(128, { minLength: 1, pattern: "^(?=.*\\S)[^\\u0000-\\u001F\\u007F-\\u009F]*$" }),
  environment: Type.Optional(Environment),
};
const InstanceId = Line(255, { minLength: 1 });
const facts = {
  ips: Type.Optional(Type.Union([Type.Array(Line(64), { maxItems: 64 }), OrNull])),
  port: Type.Optional(Type.Union([Type.Integer({ minimum: 0, maximum: 65_535 }), OrNull])),
  metadata: Type.Optional(Type.Union([Type.Unsafe<Record<string, JsonValue>>({ type: "object" }), OrNull])),
};

/** Their client sends null for whatever it does not say, and does not check type and environment. */
export const ServiceCallSchema = Type.Object({
  ...names,
  instanceId: InstanceId,
  ...facts,
  serviceType: Type.Optional(Type.Union([Line(64), OrNull])),
  tags: Type.Optional(Type.Union([Type.Array(Line(64), { maxItems: 50 }), OrNull])),
  description: Type.Optional(Type.Union([Lines(4_096), OrNull])),
});
export type ServiceCall = Static<typeof ServiceCallSchema>;

export const HeartbeatCallSchema = Type.Object({ ...names, instanceId: InstanceId, ...facts });

export const UnregisterCallSchema = Type.Object({
  ...names,
  instanceId: Type.Optional(Type.Union([InstanceId, OrNull])),
});

export function toServiceName({ name, environment }: Pick<ServiceCall, "name" | "environment">) {
  return { name: name.trim(), environment: environment ?? "pro" };
}

export function toHeartbeat(call: ServiceCall): ServiceHeartbeat {
  return {
    ...toServiceName(call),
    instanceId: call.instanceId,
    ips: call.ips?.filter((ip) => ip !== "") ?? null,
    port: call.port ?? null,
    metadata: call.metadata ?? null,
  };
}

export function toRegistration(call: ServiceCall): RegisterService {
  return {
    ...toHeartbeat(call),
    type: isServiceType(call.serviceType) ? call.serviceType : "other",
    description: call.description ?? "",
    tags: [...new Set(call.tags?.map((tag) => tag.trim()).filter((tag) => tag !== ""))],
  };
}

function isServiceType(text: string | null | undefined): text is ServiceType {
  return SERVICE_TYPES.some((type) => type === text);
}

/** Both always: their client takes what is missing for an empty configuration. */
export function toServiceConfiguration({ configuration, configurationVersion }: ServiceState) {
  return { config: configuration, config_version: configurationVersion };
}

export function toServiceReply(state: ServiceState) {
  const { serial, instanceId } = state;
  return { service_id: serial, instance_id: instanceId, ...toServiceConfiguration(state) };
}
