/** A browser without a screen: cookies, redirects one by one, and the forms of our pages. */
export class Browser {
  readonly #cookies = new Map<string, string>();

  setCookie(name: string, value: string): void {
    this.#cookies.set(name, value);
  }

  cookie(name: string): string | undefined {
    return this.#cookies.get(name);
  }

  cookieNames(): string[] {
    return [...this.#cookies.keys()];
  }

  /** One request; redirects are not followed. */
  async request(url: string | URL, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set("cookie", [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; "));
    const response = await fetch(url, { ...init, headers, redirect: "manual" });
    for (const cookie of response.headers.getSetCookie()) this.#store(cookie);
    return response;
  }

  /**
   * Follows redirects as long as they stay on the server.
   *
   * @returns the page where it ends, or the address outside to which it is sent (`left`).
   */
  async visit(url: string | URL, init: RequestInit = {}): Promise<Visit> {
    let at = new URL(url);
    let response = await this.request(at, init);
    for (let hops = 0; hops < 10; hops++) {
      const location = response.headers.get("location");
      if (location === null)
        return { url: at, status: response.status, html: await response.text(), left: undefined };
      const next = new URL(location, at);
      if (next.origin !== at.origin) return { url: at, status: response.status, html: "", left: next };
      at = next;
      response = await this.request(at);
    }
    throw new Error("redirected in a circle");
  }

  /** Fills in and sends the first form of a page. */
  submit(page: Visit, values: Record<string, string>): Promise<Visit> {
    const form = /<form[^>]*method="post"[^>]*>[\s\S]*?<\/form>/.exec(page.html)?.[0];
    if (!form) throw new Error(`no form on ${page.url}:\n${page.html}`);
    const action = unescapeHtml(/action="([^"]*)"/.exec(form)?.[1] ?? "");
    const body = new URLSearchParams();
    for (const input of form.matchAll(/<input[^>]*type="hidden"[^>]*>/g)) {
      const name = /name="([^"]*)"/.exec(input[0])?.[1];
      if (name) body.set(unescapeHtml(name), unescapeHtml(/value="([^"]*)"/.exec(input[0])?.[1] ?? ""));
    }
    for (const [name, value] of Object.entries(values)) body.set(name, value);
    return this.visit(new URL(action, page.url), { method: "POST", body });
  }

  #store(cookie: string): void {
    const [pair = ""] = cookie.split(";", 1);
    const equals = pair.indexOf("=");
    const name = pair.slice(0, equals);
    if (/max-age=0|expires=Thu, 01 Jan 1970/i.test(cookie)) this.#cookies.delete(name);
    else this.#cookies.set(name, pair.slice(equals + 1));
  }
}

export interface Visit {
  url: URL;
  status: number;
  html: string;
  /** Where it was sent outside of the server. */
  left: URL | undefined;
}

function unescapeHtml(text: string): string {
  return text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#34;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&");
}
