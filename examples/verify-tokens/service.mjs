import { createServer } from "node:http";
import { createRemoteJWKSet, errors, jwtVerify } from "jose";

const ISSUER = process.env.ISSUER ?? "http://localhost:4100";

const discovery = await fetch(`${ISSUER}/.well-known/openid-configuration`).then((answer) => answer.json());
// Fetched when the first token comes, kept, and fetched again when a token names a key that is not among them.
const keys = createRemoteJWKSet(new URL(discovery.jwks_uri));

/** The claims of a valid access token; throws otherwise. */
async function verify(token) {
  const { payload } = await jwtVerify(token, keys, {
    issuer: ISSUER,
    audience: ISSUER, // the tenant's services are one audience
    typ: "at+jwt", // an ID token is not an access token
    algorithms: ["ES256", "RS256", "EdDSA"],
  });
  return payload;
}

const server = createServer(async (request, response) => {
  const json = (status, body, headers = {}) =>
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
  if (request.url !== "/hello") return json(404, { error: "not_found" });
  const [, token] = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? "") ?? [];
  if (!token) return json(401, { error: "unauthorized" }, { "www-authenticate": "Bearer" });
  try {
    const { sub, client_id: client } = await verify(token);
    json(200, { hello: sub, client });
  } catch (error) {
    if (error instanceof errors.JWKSTimeout || error instanceof TypeError) {
      return json(503, { error: "temporarily_unavailable" }); // the identity server cannot be reached
    }
    json(401, { error: "invalid_token" }, { "www-authenticate": 'Bearer error="invalid_token"' });
  }
});

server.listen(Number(process.env.PORT ?? 9001), "127.0.0.1", () => {
  console.log(`ready at http://localhost:${server.address().port}`);
});
