/** Who does something. `id` is null for `anonymous`, `operator` (the command line on the server) and `system`. */
export interface Actor {
  type: "user" | "application" | "api-key" | "operator" | "system" | "anonymous";
  id: string | null;
}

/** Everything a rule may want to know about the request it serves. Every rule gets one; the audit log keeps it. */
export interface RequestContext {
  tenantId: string;
  actor: Actor;
  ip: string | null;
  userAgent: string | null;
  traceId: string;
}

export const ANONYMOUS: Actor = { type: "anonymous", id: null };
export const SYSTEM: Actor = { type: "system", id: null };
export const OPERATOR: Actor = { type: "operator", id: null };
