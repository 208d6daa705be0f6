import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface FeishuCall {
  path: string;
  authorization: string | undefined;
  body: Record<string, unknown>;
}

/** Feishu's open platform as far as we use it: tokens of tenants, and messages. */
export class FakeFeishu implements AsyncDisposable {
  readonly calls: FeishuCall[] = [];
  /** The next message is answered with this. */
  refusal: { code: number; msg: string } | undefined;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(): Promise<FakeFeishu> {
    const server = createServer((request, response) => {
      let text = "";
      request.on("data", (part: Buffer) => {
        text += part.toString();
      });
      request.on("end", () => {
        const body = JSON.parse(text) as Record<string, unknown>;
        const path = request.url ?? "";
        fake.calls.push({ path, authorization: request.headers.authorization, body });
        response.setHeader("content-type", "application/json").end(JSON.stringify(fake.#answer(path, body)));
      });
    });
    const fake = new FakeFeishu(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  #answer(path: string, body: Record<string, unknown>): object {
    if (path === "/open-apis/auth/v3/tenant_access_token/internal") {
      return body["app_secret"] === "bot-secret"
        ? { code: 0, msg: "ok", tenant_access_token: "t-1", expire: 7200 }
        : { code: 10014, msg: "app secret invalid" };
    }
    const { refusal } = this;
    this.refusal = undefined;
    return refusal ?? { code: 0, msg: "success", data: { message_id: "om_1", create_time: "1767225600000" } };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
