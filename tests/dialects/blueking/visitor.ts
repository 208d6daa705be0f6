/** What the test applications say about who is there. */
export interface Whoami {
  status: number;
  authenticated: boolean;
  username: string;
  bkpaas_user_id: string | null;
  provider_type: number | null;
  display_name: string | null;
  tenant_id: string | null;
  time_zone: string | null;
  session: string | null;
  zone: string;
  app: Record<string, unknown> | null;
  posted: boolean;
}

/** A person's browser at a Django application: keeps its session, sends the ticket it is given. */
export class Visitor {
  readonly #url: string;
  readonly #cookies = new Map<string, string>();

  constructor(url: string) {
    this.#url = url;
  }

  set(name: string, value: string | undefined): this {
    if (value === undefined) this.#cookies.delete(name);
    else this.#cookies.set(name, value);
    return this;
  }

  async whoami(init: RequestInit = {}): Promise<Whoami> {
    const response = await this.fetch("/whoami", init);
    const text = await response.text();
    const body = response.headers.get("content-type")?.includes("json") ? JSON.parse(text) : { text };
    return { status: response.status, ...body };
  }

  async json(path: string): Promise<Record<string, unknown>> {
    return (await (await this.fetch(path)).json()) as Record<string, unknown>;
  }

  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set("cookie", [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; "));
    const response = await fetch(this.#url + path, { ...init, headers, redirect: "manual" });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      const isGone = value === "" || value === '""' || /max-age=0/i.test(cookie);
      this.set(name, isGone ? undefined : value);
    }
    return response;
  }
}
