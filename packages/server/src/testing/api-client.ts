import type { InjectOptions, LightMyRequestResponse } from "fastify";
import { createApplication, findApplication } from "../domain/applications/index.ts";
import { createSession } from "../domain/sessions/index.ts";
import { findTenantById } from "../domain/tenants/index.ts";
import { issueAccessToken } from "../domain/tokens/index.ts";
import { newId } from "../kernel/identifiers.ts";
import type { TestServer } from "./a-server.ts";
import { contextOf } from "./test-deps.ts";

/** A request to API v1 of a test server; `authorization` is the operator's unless given. */
export function callApi(
  server: TestServer,
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
  path: string,
  options: { body?: unknown; authorization?: string; headers?: Record<string, string> } = {},
): Promise<LightMyRequestResponse> {
  const { body, authorization = server.operator, headers } = options;
  const request: InjectOptions = {
    method,
    url: `/api/v1${path}`,
    headers: { authorization, ...headers },
  };
  if (body === undefined) return server.app.inject(request);
  return server.app.inject({
    ...request,
    headers: { "content-type": "application/json", ...request.headers },
    payload: JSON.stringify(body),
  });
}

/** Signs a user in without the pages: his session, its cookie, and an access token of an application of its own. */
export async function signInForTest(
  server: TestServer,
  userId: string,
  scopes: ("openid" | "account" | "manage")[],
): Promise<{ authorization: string; sessionId: string; cookie: string; applicationId: string }> {
  const { deps, tenantId } = server;
  const context = contextOf(tenantId);
  const now = deps.clock.now();
  const input = { slug: `test-${newId(now)}`, name: "Test", scopes };
  const { id } = (await createApplication(deps, context, input)).application;
  const tenant = await findTenantById(deps, tenantId);
  const application = await findApplication(deps, tenantId, id);
  if (!tenant || !application) throw new Error("the test's tenant or application is missing");
  const { session, cookie } = await createSession(deps, context, { userId, amr: ["pwd"] });
  const { token } = await issueAccessToken(deps, {
    tenant,
    application,
    familyId: newId(now),
    subject: userId,
    scopes,
    sessionId: session.id,
    authenticatedAt: now,
    amr: ["pwd"],
  });
  return { authorization: `Bearer ${token}`, sessionId: session.id, cookie, applicationId: id };
}
