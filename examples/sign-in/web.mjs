import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import * as oidc from "openid-client";

const ISSUER = new URL(process.env.ISSUER ?? "http://localhost:4100");
const PORT = Number(process.env.PORT ?? 9003);
const BASE = `http://localhost:${PORT}`;

const config = await oidc.discovery(
  ISSUER,
  process.env.CLIENT_ID ?? "5f0c00000000000000000003",
  undefined,
  oidc.ClientSecretBasic(process.env.CLIENT_SECRET ?? "web-secret-for-the-example"),
  // Only for trying it out on one's own machine: tokens must not travel unencrypted.
  ISSUER.protocol === "http:" ? { execute: [oidc.allowInsecureRequests] } : {},
);

/** By cookie: what a sign-in under way has to remember, or who is signed in. */
const visitors = new Map();

const routes = {
  "/": home,
  "/sign-in": startSignIn,
  "/callback": finishSignIn,
  "/sign-out": signOut,
};

async function home(visitor, _url, response) {
  const text = visitor.user
    ? `<p>Hello, ${escapeHtml(visitor.user.name ?? visitor.user.sub)} (${escapeHtml(visitor.user.email ?? "no e-mail")}).</p>
       <form method="post" action="/sign-out"><button>Sign out</button></form>`
    : `<p><a href="/sign-in">Sign in</a></p>`;
  response
    .writeHead(200, { "content-type": "text/html; charset=utf-8" })
    .end(`<!doctype html><title>Shop</title>${text}`);
}

/** Off to Ostiary. What comes back must fit what is remembered here: state, nonce and the PKCE verifier. */
async function startSignIn(visitor, _url, response) {
  const verifier = oidc.randomPKCECodeVerifier();
  visitor.pending = { verifier, state: oidc.randomState(), nonce: oidc.randomNonce() };
  const address = oidc.buildAuthorizationUrl(config, {
    redirect_uri: `${BASE}/callback`,
    scope: "openid profile email",
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state: visitor.pending.state,
    nonce: visitor.pending.nonce,
  });
  redirect(response, address.href);
}

async function finishSignIn(visitor, url, response) {
  const pending = visitor.pending;
  visitor.pending = undefined; // works once
  if (!pending) return redirect(response, "/");
  const tokens = await oidc.authorizationCodeGrant(config, url, {
    pkceCodeVerifier: pending.verifier,
    expectedState: pending.state,
    expectedNonce: pending.nonce,
  });
  const { sub } = tokens.claims();
  const user = await oidc.fetchUserInfo(config, tokens.access_token, sub);
  // A new cookie for the signed-in visitor: nobody can have planted it before.
  visitors.delete(visitor.id);
  const signedIn = newVisitor(response);
  Object.assign(signedIn, { user, idToken: tokens.id_token });
  redirect(response, "/");
}

/** Here, and at Ostiary too: otherwise the next click on "Sign in" would need no password. */
async function signOut(visitor, _url, response) {
  visitors.delete(visitor.id);
  const address = oidc.buildEndSessionUrl(config, {
    post_logout_redirect_uri: `${BASE}/`,
    ...(visitor.idToken ? { id_token_hint: visitor.idToken } : {}),
  });
  redirect(response, address.href);
}

function redirect(response, address) {
  response.writeHead(303, { location: address }).end();
}

function newVisitor(response) {
  const visitor = { id: randomBytes(24).toString("base64url") };
  visitors.set(visitor.id, visitor);
  response.setHeader("set-cookie", `visitor=${visitor.id}; HttpOnly; SameSite=Lax; Path=/`);
  return visitor;
}

function escapeHtml(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url ?? "/", BASE);
  const route = routes[url.pathname];
  if (!route || (url.pathname === "/sign-out") !== (request.method === "POST")) {
    return response.writeHead(404).end("Not found");
  }
  const [, id = ""] = /(?:^|; )visitor=([\w-]+)/.exec(request.headers.cookie ?? "") ?? [];
  try {
    await route(visitors.get(id) ?? newVisitor(response), url, response);
  } catch (error) {
    console.error(error.code ?? "", error.message);
    response
      .writeHead(400, { "content-type": "text/plain" })
      .end("The sign-in did not work. Please try again.");
  }
});

server.listen(PORT, "127.0.0.1", () => console.log(`ready at ${BASE}`));
