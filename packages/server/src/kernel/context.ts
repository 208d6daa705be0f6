/** Who does something. `id` is null for `anonymous`, `operator` (the command line on the server) and `system`. */
export interface Actor {
  type: "user" | "application" | "api-key" | "operator" | "system" | "anonymous";
  id: string | null;
}

/** Everything a rule may want to know about the request it serves. Every rule gets one; the audit log keeps it. */
export interface RequestContext {
  tenantId: string;
  actor: Actor;
  /** Permission codes of the actor in this tenant, wildcards included (`*`, `user:*`). */
  permissions: ReadonlySet<string>;
  /**
   * For whom the credentials speak: the user or application, of an API key its owner. What was delegated to him counts
   * as far as `limit` holds it (null: all of it). Absent: nobody to whom anything could be delegated.
   */
  subject?: { type: "user" | "application"; id: string; limit: ReadonlySet<string> | null } | null;
  /** The session that the access token or cookie of the request belongs to, when there is one. */
  sessionId?: string | null;
  /** The administrator who acts as `actor`; the audit log names both. Absent: the actor himself. */
  impersonatorId?: string | null;
  ip: string | null;
  userAgent: string | null;
  traceId: string;
}

export const NO_PERMISSIONS: ReadonlySet<string> = new Set();
export const ALL_PERMISSIONS: ReadonlySet<string> = new Set(["*"]);

/** The server itself (jobs, sign-up, first start): not limited by permissions, and named so in the audit log. */
export function systemContext(tenantId: string, traceId = "system"): RequestContext {
  return {
    tenantId,
    actor: { type: "system", id: null },
    permissions: ALL_PERMISSIONS,
    ip: null,
    userAgent: null,
    traceId,
  };
}
