/** Every route: bad query or text, no credentials, no permission, no such tenant, database away. */
const ALWAYS = [400, 401, 403, 404, 503] as const;

/**
 * As the generated document names them: their content type, too, is not that of other answers (RFC 9457 §3). By
 * reference, as it would else be nine tenths of the document; `openapi.ts` registers it.
 */
const PROBLEM = {
  description: "A problem document (RFC 9457)",
  content: { "application/problem+json": { schema: { $ref: "Problem#" } } },
} as const;

type Problems<Status extends number> = { [S in Status | (typeof ALWAYS)[number]]: typeof PROBLEM };

/** The responses of a route that are problem documents: those of every route, and these. */
export function problems<const Status extends number>(...statuses: Status[]): Problems<Status> {
  return Object.fromEntries([...ALWAYS, ...statuses].map((status) => [status, PROBLEM])) as Problems<Status>;
}
