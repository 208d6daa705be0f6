import {
  type CreateApplication,
  IdentityError,
  type Application as PublicApplication,
  type Scope,
  SIGN_IN_METHODS,
} from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { newId, newSecret } from "../../kernel/identifiers.ts";
import { checkPermission, createApplicationNamespace } from "../access/index.ts";
import { recordEvent } from "../audit/index.ts";
import type { Deps } from "../deps.ts";
import {
  type ApplicationValues,
  DEFAULT_APPLICATION_SETTINGS,
  insertApplication,
} from "./application.store.ts";
import { storeSecret } from "./application-secrets.ts";
import { checkApplication, checkMayControl, usesSecret } from "./check-application.ts";

/** What only the configuration file may give. */
export interface GivenApplication {
  id?: string | undefined;
  serial?: number | undefined;
  /** Plain; generated when absent, and null for none: hashes follow (`adoptSecret`). */
  secret?: string | null | undefined;
}

const DEFAULT_SCOPES: Scope[] = ["openid", "profile", "email", "address", "phone", "offline_access"];

/** Tells what an absent field of a new application means. */
function completeApplication(input: CreateApplication): ApplicationValues {
  const settings = { ...DEFAULT_APPLICATION_SETTINGS, ...input.settings };
  return {
    description: "",
    logo: null,
    homepage: null,
    status: "active",
    redirectUris: [],
    postLogoutRedirectUris: [],
    allowedReturnOrigins: [],
    backchannelLogoutUri: null,
    grantTypes: ["authorization_code", "refresh_token"],
    tokenEndpointAuthMethod: "client_secret_basic",
    jwks: null,
    scopes: DEFAULT_SCOPES,
    access: "everyone",
    administers: null,
    signInMethods: [...SIGN_IN_METHODS],
    consent: "ask",
    ...input,
    settings,
  };
}

/**
 * Creates an application, and its first secret unless it is a public client or uses keys. Needs `application:write`.
 *
 * @returns the application and the plain secret, which is not stored and cannot be shown again.
 * @throws IdentityError `permission.denied`, `permission.escalation`, `application.slug_taken`, `object.id_taken`,
 *   and what `checkApplication` throws.
 */
export async function createApplication(
  deps: Deps,
  context: RequestContext,
  input: CreateApplication,
  given: GivenApplication = {},
): Promise<{ application: PublicApplication; secret: string | null }> {
  checkPermission(context, "application:write");
  const values = completeApplication(input);
  checkMayControl(context, values);
  checkApplication(values);
  if (typeof given.secret === "string" && !usesSecret(values))
    throw new IdentityError("application.public_client");
  const { tenantId } = context;
  const now = deps.clock.now();
  const id = given.id ?? newId(now);
  const secret = usesSecret(values) ? (given.secret === undefined ? newSecret() : given.secret) : null;
  const application = await deps.database.transaction(async (tx) => {
    const created = await insertApplication(tx, tenantId, id, given.serial, values, now);
    await createApplicationNamespace(tx, tenantId, created, now);
    if (secret !== null) await storeSecret(deps, tx, tenantId, id, secret);
    const data = { slug: values.slug, administers: values.administers };
    await recordEvent(deps, tx, context, {
      type: "application.created",
      target: { type: "application", id },
      data,
    });
    return created;
  });
  return { application, secret };
}
