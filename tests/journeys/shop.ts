import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import * as client from "openid-client";

/** An application as others write them: openid-client, code and PKCE, on another origin than the server. */
export interface Shop {
  /** Without trailing slash. */
  origin: string;
  /** The same program under another origin, where people end up when it is told to `goOn`. */
  front: string;
  goOn: boolean;
  /** The server is known, and this application to it. */
  configure(issuer: string, clientId: string): Promise<void>;
  close(): void;
}

interface Attempt {
  verifier: string;
  state: string;
  nonce: string;
}

/** `/` begins a sign-in, `/callback` shows who came, `/leave` signs out at the server too. */
export async function openShop(): Promise<Shop> {
  let configuration: client.Configuration | undefined;
  let attempt: Attempt | undefined;
  let idToken = "";
  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => page(response, 500, `Failed: ${describe(error)}`));
  });
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!configuration) throw new Error("not configured");
    const url = new URL(request.url ?? "/", origin);
    if (url.pathname === "/") {
      attempt = {
        verifier: client.randomPKCECodeVerifier(),
        state: client.randomState(),
        nonce: client.randomNonce(),
      };
      const address = client.buildAuthorizationUrl(configuration, {
        redirect_uri: `${origin}/callback`,
        scope: "openid profile email",
        code_challenge: await client.calculatePKCECodeChallenge(attempt.verifier),
        code_challenge_method: "S256",
        state: attempt.state,
        nonce: attempt.nonce,
        ...Object.fromEntries(url.searchParams),
      });
      response.writeHead(302, { location: address.href }).end();
    } else if (url.pathname === "/callback") {
      if (!attempt) throw new Error("nobody asked");
      if (url.searchParams.has("error")) {
        page(response, 200, `Refused: ${url.searchParams.get("error")}`);
        return;
      }
      const answer = request.method === "POST" ? new URL(`${url}?${await bodyOf(request)}`) : url;
      const tokens = await client.authorizationCodeGrant(configuration, answer, {
        pkceCodeVerifier: attempt.verifier,
        expectedState: attempt.state,
        expectedNonce: attempt.nonce,
        idTokenExpected: true,
      });
      idToken = tokens.id_token ?? "";
      const subject = tokens.claims()?.sub ?? "";
      const person = await client.fetchUserInfo(configuration, tokens.access_token, subject);
      const name = person.nickname ?? person.preferred_username ?? person.sub;
      if (!shop.goOn) page(response, 200, `Hello ${name}`);
      else
        response.writeHead(302, { location: `${shop.front}/hello?${new URLSearchParams({ name })}` }).end();
    } else if (url.pathname === "/leave") {
      const address = client.buildEndSessionUrl(configuration, {
        id_token_hint: idToken,
        post_logout_redirect_uri: `${origin}/bye`,
      });
      response.writeHead(302, { location: address.href }).end();
    } else if (url.pathname === "/hello")
      page(response, 200, `Hello ${url.searchParams.get("name")} in front`);
    else if (url.pathname === "/bye") page(response, 200, "Goodbye");
    else page(response, 404, "Nothing here");
  }

  const shop: Shop = {
    origin,
    front: origin.replace("127.0.0.1", "localhost"),
    goOn: false,
    configure: async (issuer, clientId) => {
      configuration = await client.discovery(new URL(issuer), clientId, undefined, client.None(), {
        execute: [client.allowInsecureRequests],
      });
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
  return shop;
}

function page(response: ServerResponse, status: number, words: string): void {
  response.writeHead(status, { "content-type": "text/html; charset=utf-8" });
  response.end(`<!doctype html><title>Shop</title><h1>${words.replaceAll("<", "&lt;")}</h1>`);
}

/** An answer by `response_mode=form_post` has the parameters of the one by query. */
async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.message} ${describe(error.cause ?? "")}` : String(error);
}
