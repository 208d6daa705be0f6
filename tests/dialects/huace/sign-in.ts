import { createHash, randomBytes } from "node:crypto";

export interface SignIn {
  /** Begins the tenant's addresses, e.g. `http://127.0.0.1:4100` or `…/t/other`. */
  issuer: string;
  clientId: string;
  clientSecret: string;
  redirectUri: string;
  identifier: string;
  password: string;
}

/** An authorization code flow with PKCE through the hosted sign-in page, without a browser. @returns the access token. */
export async function signIn(options: SignIn): Promise<string> {
  const { issuer, clientId, clientSecret, redirectUri } = options;
  const verifier = randomBytes(32).toString("base64url");
  const request = new URLSearchParams({
    response_type: "code",
    client_id: clientId,
    redirect_uri: redirectUri,
    scope: "openid profile",
    state: "the-state",
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  const visitor = new Visitor(redirectUri);
  const form = await visitor.get(`${issuer}/oauth/authorize?${request}`);
  const back = await visitor.submit(form, { identifier: options.identifier, password: options.password });
  const code = back.address.searchParams.get("code");
  if (back.page !== null || code === null) throw new Error(`no code, but ${back.address}\n${back.page}`);
  const answer = await fetch(`${issuer}/oauth/token`, {
    method: "POST",
    headers: { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString("base64")}` },
    body: new URLSearchParams({
      grant_type: "authorization_code",
      code,
      redirect_uri: redirectUri,
      code_verifier: verifier,
    }),
  });
  const tokens = (await answer.json()) as { access_token?: string };
  if (tokens.access_token === undefined) throw new Error(`no token, but ${JSON.stringify(tokens)}`);
  return tokens.access_token;
}

/** Where a visit ended; `page` is null when that is outside of the server. */
interface Visit {
  address: URL;
  page: string | null;
}

/** Follows redirects and keeps cookies, like a browser. */
class Visitor {
  readonly #cookies = new Map<string, string>();
  readonly #outside: string;

  constructor(outside: string) {
    this.#outside = outside;
  }

  get(address: string): Promise<Visit> {
    return this.#visit(new URL(address), {});
  }

  /** Sends the page's form with its hidden fields. */
  submit({ address, page }: Visit, fields: Record<string, string>): Promise<Visit> {
    const form = /<form[^>]*method="post"[^>]*>[\s\S]*?<\/form>/i.exec(page ?? "")?.[0];
    if (form === undefined) throw new Error(`no form at ${address}\n${page}`);
    const hidden = [...form.matchAll(/<input[^>]*type="hidden"[^>]*>/g)].map(([input]) => [
      attribute(input, "name"),
      attribute(input, "value"),
    ]);
    const target = new URL(attribute(form, "action") || address.href, address);
    const body = new URLSearchParams([...(hidden as [string, string][]), ...Object.entries(fields)]);
    return this.#visit(target, { method: "POST", body });
  }

  async #visit(address: URL, request: RequestInit): Promise<Visit> {
    if (address.href.startsWith(this.#outside)) return { address, page: null };
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = { cookie, origin: address.origin };
    const answer = await fetch(address, { ...request, headers, redirect: "manual" });
    for (const set of answer.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      this.#cookies.set(name, value);
    }
    const location = answer.headers.get("location");
    if (location !== null) return this.#visit(new URL(location, address), {});
    return { address, page: await answer.text() };
  }
}

function attribute(tag: string, name: string): string {
  const value = new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1] ?? "";
  return value.replaceAll("&amp;", "&").replaceAll("&quot;", '"');
}
