import type { JsonValue, ReportedCall } from "@ostiary/contracts";

/** Items of one report; their collector sends 10 or 50, and more after a pause. */
export const MAXIMUM_STATISTICS = 10_000;

const MAXIMUM_SECONDS = 86_400;

/** An item of theirs as a call, or null when it says too little to be one. */
export function toReportedCall(item: unknown, userId: string | null): ReportedCall | null {
  if (!isObject(item)) return null;
  const { api_path: path, status_code: status, response_time: seconds } = item;
  if (typeof path !== "string" || path === "") return null;
  if (typeof status !== "number" || !Number.isInteger(status) || status < 100 || status > 599) return null;
  const parameters = isObject(item["request_params"]) ? item["request_params"] : null;
  const responseHeaders = isObject(item["response_headers"]) ? item["response_headers"] : null;
  return {
    path: path.slice(0, 2_048),
    method: toMethod(item["api_method"]),
    status,
    milliseconds: toMilliseconds(seconds),
    error: typeof item["error_message"] === "string" ? item["error_message"] : null,
    parameters,
    responseHeaders,
    ...(userId === null ? { username: usernameOf(parameters) } : { userId }),
  };
}

function toMethod(method: JsonValue | undefined): string {
  const name = typeof method === "string" ? method.toUpperCase() : "";
  return /^[A-Z][A-Z_-]{0,15}$/.test(name) ? name : "GET";
}

function toMilliseconds(seconds: JsonValue | undefined): number {
  if (typeof seconds !== "number" || !(seconds >= 0)) return 0;
  return Math.min(seconds, MAXIMUM_SECONDS) * 1_000;
}

/** Their outgoing calls name the user in a header that is only in the report. */
function usernameOf(parameters: Record<string, JsonValue> | null): string | null {
  const headers = parameters?.["headers"];
  if (!isObject(headers)) return null;
  for (const name in headers) {
    if (name.length !== 16 || name.toLowerCase() !== "x-match-username") continue;
    const value = headers[name];
    return typeof value === "string" ? value.slice(0, 254) : null;
  }
  return null;
}

function isObject(value: unknown): value is Record<string, JsonValue> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
