import type { FastifyPluginAsync } from "fastify";
import type { Deps } from "../../domain/deps.ts";
import { heartbeat, registerService, unregisterService } from "../../domain/services/index.ts";
import { callerOf, contextOf, succeed } from "./calls.ts";
import {
  HeartbeatCallSchema,
  type ServiceCall,
  ServiceCallSchema,
  toHeartbeat,
  toRegistration,
  toServiceConfiguration,
  toServiceName,
  toServiceReply,
  UnregisterCallSchema,
} from "./services.translate.ts";

/** Bytes. Metadata is what the program wants to say of itself. */
const BODY_LIMIT = 256 * 1024;

/** Endpoints 16 to 18: the registry of services. */
export function serviceRoutes(deps: Deps): FastifyPluginAsync {
  return async (app) => {
    app.post<{ Body: ServiceCall }>(
      "/service/register",
      { bodyLimit: BODY_LIMIT, schema: { body: ServiceCallSchema } },
      async (request) => {
        const context = contextOf(request, await callerOf(deps, request));
        return succeed(toServiceReply(await registerService(deps, context, toRegistration(request.body))));
      },
    );

    app.post<{ Body: ServiceCall }>(
      "/service/heartbeat",
      { bodyLimit: BODY_LIMIT, schema: { body: HeartbeatCallSchema } },
      async (request) => {
        const caller = callerOf(deps, request);
        const context = contextOf(request, caller instanceof Promise ? await caller : caller);
        return succeed(toServiceConfiguration(await heartbeat(deps, context, toHeartbeat(request.body))));
      },
    );

    app.post<{ Body: Partial<ServiceCall> & { name: string } }>(
      "/service/unregister",
      { bodyLimit: BODY_LIMIT, schema: { body: UnregisterCallSchema } },
      async (request) => {
        const context = contextOf(request, await callerOf(deps, request));
        const { instanceId } = request.body;
        // Called by hand their client may not know the instance: nothing is to be ended then.
        if (instanceId)
          await unregisterService(deps, context, { ...toServiceName(request.body), instanceId });
        return succeed({ success: true });
      },
    );
  };
}
