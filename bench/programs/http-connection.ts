import { connect, type Socket } from "node:net";

export interface HttpAnswer {
  status: number;
  body: string;
}

/**
 * One keep-alive connection that sends requests as they were written down and reads answers with a Content-Length.
 * Far cheaper than node:http or fetch, so that the load generator is not what is measured.
 */
export class HttpConnection {
  readonly #socket: Socket;
  #received = "";
  #resolve: ((answer: HttpAnswer) => void) | undefined;
  #reject: ((error: Error) => void) | undefined;

  constructor(port: number) {
    this.#socket = connect(port, "127.0.0.1").setNoDelay(true).setEncoding("latin1");
    this.#socket.on("data", (chunk) => {
      this.#received += chunk;
      this.#read();
    });
    this.#socket.on("error", (error) => this.#reject?.(error));
    this.#socket.on("close", () => this.#reject?.(new Error("the server closed the connection")));
  }

  /** One request at a time. `text` is the whole request, one character a byte. */
  send(text: string): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#socket.write(text, "latin1");
    });
  }

  close(): void {
    this.#reject = undefined;
    this.#socket.destroy();
  }

  #read(): void {
    const text = this.#received;
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) return;
    const length = /\r\ncontent-length: (\d+)\r\n/i.exec(text.slice(0, end + 2))?.[1];
    if (length === undefined) {
      this.#reject?.(new Error("an answer without Content-Length"));
      return;
    }
    const from = end + 4;
    const to = from + Number(length);
    if (text.length < to) return;
    this.#received = "";
    this.#resolve?.({ status: Number(text.slice(9, 12)), body: text.slice(from, to) });
  }
}
