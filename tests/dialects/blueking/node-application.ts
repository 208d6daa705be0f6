import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { bkAuthenticator, responseOf } from "../../../packages/sdk/src/blueking/fetch.ts";
import {
  type BkAuthOptions,
  type BkOutcome,
  type BkSession,
  MemorySession,
} from "../../../packages/sdk/src/blueking/index.ts";

/** The counterpart of `django/project.py`: the same page behind the TypeScript middleware, with sessions of its own. */
export async function startNodeApplication(
  options: BkAuthOptions,
): Promise<{ url: string } & AsyncDisposable> {
  const sessions = new Map<string, StoredSession>();
  const ofRequest = new WeakMap<Request, StoredSession>();
  const authenticate = bkAuthenticator(options, { session: (request) => ofRequest.get(request) });
  const server = createServer(async (incoming, outgoing) => {
    const request = new Request(`http://app.test${incoming.url}`, {
      headers: { cookie: incoming.headers.cookie ?? "" },
    });
    const id = /(?:^|; )sessionid=([^;]*)/.exec(incoming.headers.cookie ?? "")?.[1];
    const session = sessions.get(id ?? "") ?? new StoredSession();
    ofRequest.set(request, session);
    const { outcome, answer } = await authenticate(request);
    if (session.id !== id && id !== undefined) sessions.delete(id);
    if (session.data.size > 0) sessions.set(session.id, session);
    const response = answer === undefined ? Response.json(whoami(outcome)) : responseOf(answer);
    const body = await response.text();
    outgoing.writeHead(response.status, {
      "content-type": "application/json",
      ...(session.data.size > 0 ? { "set-cookie": `sessionid=${session.id}; Path=/; HttpOnly` } : {}),
    });
    outgoing.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** A session of a store with ids. */
class StoredSession extends MemorySession implements BkSession {
  id: string = randomUUID();

  override flush(): void {
    super.flush();
    this.id = randomUUID();
  }

  override cycle(): void {
    this.id = randomUUID();
  }
}

function whoami(outcome: BkOutcome): Record<string, unknown> {
  if (outcome.outcome !== "ok") return { authenticated: false };
  const { user } = outcome;
  return {
    authenticated: true,
    username: user.username,
    bkpaas_user_id: user.bkpaasUserId,
    provider_type: user.providerType,
    display_name: user.displayName,
    tenant_id: user.tenantId,
    time_zone: user.timeZone,
    nickname: user.nickname,
  };
}
