import { type ErrorCode, IdentityError, SIGN_IN_METHODS } from "@ostiary/contracts";
import { apiPlugin } from "../api/index.ts";
import { createApplication } from "../domain/applications/index.ts";
import type { SignIns } from "../domain/sign-in/testing/a-sign-in.ts";
import type { Door, FlowKey } from "../domain/sign-in/testing/ledger.ts";
import { findTenantBySlug } from "../domain/tenants/index.ts";
import { createApp } from "../platform/http/create-app.ts";
import { createLogger } from "../platform/telemetry/logger.ts";

const CHALLENGE = "c".repeat(43);

/** The sign-in by API v1, over HTTP. Refusals are thrown as the domain throws them. */
export async function headlessDoor({ deps, world }: SignIns): Promise<Door & AsyncDisposable> {
  const app = await createApp({
    log: createLogger("silent"),
    resolveTenant: (slug) => findTenantBySlug(deps, slug),
    trustedProxies: [],
  });
  await app.register(apiPlugin(deps, { operatorSecret: "operator-secret" }), { prefix: "/api/v1" });
  const { application } = await createApplication(deps, world.context, {
    slug: "phone",
    name: "Phone",
    redirectUris: ["https://phone.example/callback"],
    tokenEndpointAuthMethod: "none",
    consent: "implicit",
    signInMethods: [...SIGN_IN_METHODS],
    settings: { headlessSignIn: true },
  });

  async function post(path: string, body: object, key?: FlowKey) {
    const answer = await app.inject({
      method: "POST",
      url: `/api/v1/sign-in/flows${path}`,
      headers: {
        "content-type": "application/json",
        ...(key === undefined ? {} : { "ostiary-flow": key.secret }),
      },
      payload: JSON.stringify(body),
    });
    if (answer.statusCode >= 500) throw new Error(`${path} answered ${answer.statusCode}`);
    if (answer.statusCode >= 400) throw new IdentityError(answer.json().code as ErrorCode);
    return answer.json();
  }

  return {
    async begin() {
      const body = { applicationId: application.id, scopes: ["openid"], codeChallenge: CHALLENGE };
      const { flow, secret } = await post("", body);
      return { id: flow.id, secret };
    },
    async take(key, step, input) {
      const { flow } = await post(`/${key.id}/steps/${step}`, input, key);
      return { state: flow.state, session: false };
    },
    passkeyOptions: async (key) => (await post(`/${key.id}/passkey-options`, {}, key)).options,
    beginTotp: (key) => post(`/${key.id}/totp`, {}, key),
    finish: (key) => post(`/${key.id}/finish`, {}, key),
    [Symbol.asyncDispose]: () => app.close(),
  };
}
