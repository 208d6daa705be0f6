import { asObject, asText, parseObject } from "./json.ts";
import type { BkSettings } from "./options.ts";
import { ProviderType } from "./providers.ts";
import { type BkResponseIn, pythonJson, withParameter } from "./transport.ts";
import { encodeUserId } from "./user-id.ts";

/** The account behind a ticket, as far as the service tells. */
export interface BkAccount {
  username: string;
  displayName: string;
  timeZone: string | null;
  tenantId: string | null;
}

/**
 * What a login service says of a ticket. `unavailable` is a service that gave no usable answer, `misconfigured` one that
 * refuses this application or is not what the address promised; `message` is for an operator, save in `denied`, where it
 * is the service's own word to the user.
 */
export type BkVerification =
  | { outcome: "ok"; account: BkAccount }
  | { outcome: "invalid" | "denied" | "unavailable" | "misconfigured"; message: string };

const VERIFY_TIMEOUT_MS = 10_000;
const MAX_MESSAGE = 1_000;
/** The user is known, but may not use this application. */
export const ACCESS_DENIED_CODE = 1_302_403;
/** A gateway's own words for an application it does not know: bad arguments, application, user not verified. */
const GATEWAY_REFUSALS: ReadonlySet<unknown> = new Set([1_640_001, 1_640_101, 1_640_301, 1_640_302]);

/** Asks once. Never throws. */
export async function verifyTicket(
  settings: BkSettings,
  ticket: string,
  language: string,
): Promise<BkVerification> {
  const { read, ...request } = requestFor(settings, ticket, language);
  try {
    return read(await settings.transport({ ...request, timeoutMs: VERIFY_TIMEOUT_MS }), settings);
  } catch (error) {
    // The message of a transport may quote the address, and with it the ticket: its code says enough.
    return failed("unavailable", `the login service cannot be reached (${codeOf(error)})`);
  }
}

function requestFor(settings: BkSettings, ticket: string, language: string) {
  const { app, backendType } = settings;
  const credentials = app && { bk_app_code: app.code, bk_app_secret: app.secret };
  if (settings.userInfoGatewayUrl !== undefined) {
    const headers = {
      "blueking-language": language,
      "X-Bkapi-Authorization": pythonJson(credentials ?? {}),
      // A gateway wants the header to be there and does not look at the value (call B).
      "X-Bk-Tenant-Id": "default",
    };
    return {
      url: withParameter(settings.userInfoGatewayUrl, "bk_token", ticket),
      headers,
      read: readGateway,
    };
  }
  const address = settings.verifyUrl ?? "";
  const where = settings.verifyByPost
    ? { url: new URL(address), body: JSON.stringify({ [backendType]: ticket }) }
    : { url: withParameter(address, backendType, ticket) };
  if (backendType === "bk_ticket") return { ...where, headers: {}, read: readTicket };
  const headers = credentials && {
    "blueking-language": language,
    "X-Bkapi-Authorization": pythonJson({ bk_token: ticket, ...credentials }),
  };
  return { ...where, headers: headers ?? {}, read: readToken };
}

/** Call A. Only the number 0 on status 200 is a yes: the original takes `false`, and any status. */
function readToken(response: BkResponseIn): BkVerification {
  const body = parseObject(response.body);
  if (isDown(response) || body === undefined) return noAnswer(response);
  const { code } = body;
  if (code === ACCESS_DENIED_CODE) return denied(body["message"]);
  if (GATEWAY_REFUSALS.has(code))
    return failed("misconfigured", `the gateway refuses the application (${code})`);
  if (typeof code !== "number")
    return failed("unavailable", "the login service answered without a numeric code");
  if (code !== 0) return failed("invalid", `the login service refuses the ticket (${code})`);
  if (response.status !== 200) return noAnswer(response);
  const username = usernameIn(asObject(body["data"])?.["bk_username"], ProviderType.BK);
  return username === undefined ? nameless() : ok({ username });
}

/** Call A′. */
function readTicket(response: BkResponseIn): BkVerification {
  const body = parseObject(response.body);
  if (isDown(response) || body === undefined) return noAnswer(response);
  const { ret } = body;
  if (typeof ret !== "number")
    return failed("unavailable", "the login service answered without a numeric ret");
  if (ret !== 0) return failed("invalid", `the login service refuses the ticket (${ret})`);
  if (response.status !== 200) return noAnswer(response);
  const username = usernameIn(asObject(body["data"])?.["username"], ProviderType.RTX);
  return username === undefined ? nameless() : ok({ username });
}

/** Call B. An `error` object is the login service speaking; a gateway of its own accord answers without one. */
function readGateway(response: BkResponseIn, settings: BkSettings): BkVerification {
  const body = parseObject(response.body);
  if (isDown(response) || body === undefined) return noAnswer(response);
  if (response.status === 200) return readGatewayAccount(asObject(body["data"]) ?? {}, settings);
  const error = asObject(body["error"]);
  if (response.status === 403 && error !== undefined) return denied(error["message"]);
  if (response.status === 400 && error !== undefined)
    return failed("invalid", "the login service refuses the ticket (400)");
  return failed("misconfigured", `the gateway refuses the request (${response.status})`);
}

function readGatewayAccount(data: Record<string, unknown>, settings: BkSettings): BkVerification {
  const username = usernameIn(data["bk_username"], ProviderType.BK);
  if (username === undefined) return nameless();
  const tenantId = asText(data["tenant_id"]) ?? null;
  if (settings.multiTenant && tenantId === null)
    return failed("misconfigured", "the gateway names no tenant: userInfoGatewayUrl may be the wrong one");
  return ok({
    username,
    displayName: asText(data["display_name"]) ?? username,
    timeZone: asText(data["time_zone"]) ?? null,
    tenantId,
  });
}

const ok = (account: Partial<BkAccount> & { username: string }): BkVerification => ({
  outcome: "ok",
  account: { displayName: account.username, timeZone: null, tenantId: null, ...account },
});

const failed = (outcome: "invalid" | "unavailable" | "misconfigured", message: string): BkVerification => ({
  outcome,
  message,
});

const denied = (message: unknown): BkVerification => ({
  outcome: "denied",
  message: (asText(message) ?? "").slice(0, MAX_MESSAGE),
});

const isDown = ({ status }: BkResponseIn) => status >= 500 || status === 429;
const noAnswer = ({ status }: BkResponseIn) =>
  failed("unavailable", `the login service gave no usable answer (status ${status})`);
const nameless = () => failed("unavailable", "the login service named no user");

/** A name that the id can hold; the original lets an empty one in. */
function usernameIn(value: unknown, provider: ProviderType): string | undefined {
  const username = asText(value);
  if (username === undefined) return undefined;
  try {
    encodeUserId(provider, username);
    return username;
  } catch {
    return undefined;
  }
}

/** What kind of failure it was, without what was being asked. */
export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  if (code === "service.unavailable") return (error as Error).message;
  return typeof code === "string" && /^[\w.]{1,60}$/.test(code) ? code : "connection failed";
}
