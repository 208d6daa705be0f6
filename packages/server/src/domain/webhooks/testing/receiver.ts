import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** A receiver of webhooks that answers as a test wants it. */
export class Receiver implements AsyncDisposable {
  readonly received: Received[] = [];
  /** Default: 204. Answering nothing leaves the sender waiting. */
  answer: (received: Received, response: ServerResponse) => void = (_received, response) => {
    response.writeHead(204).end();
  };
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(): Promise<Receiver> {
    const server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on("data", (part: Buffer) => parts.push(part));
      request.on("end", () => {
        const body = Buffer.concat(parts).toString();
        const received = { path: request.url ?? "", headers: request.headers, body };
        receiver.received.push(received);
        receiver.answer(received, response);
      });
    });
    const receiver = new Receiver(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The types of what was received at a path, in order. */
  types(path = "/"): string[] {
    return this.received
      .filter((one) => one.path === path)
      .map(({ body }) => (JSON.parse(body) as { type: string }).type);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
