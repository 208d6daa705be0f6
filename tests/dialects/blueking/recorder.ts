import { createServer, type IncomingHttpHeaders, request as send } from "node:http";
import type { AddressInfo } from "node:net";

export interface Recorded {
  method: string;
  url: URL;
  headers: IncomingHttpHeaders;
  status: number;
  answerHeaders: IncomingHttpHeaders;
}

/** Stands between an application and the server: notes what is asked and answered, may be slow or away. */
export interface Recorder extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` */
  url: string;
  /** What was asked since the last time. */
  take(): Recorded[];
  /** Milliseconds before each answer. */
  delay: number;
  /** No longer listens, or again at the same port. */
  close(): Promise<void>;
  open(): Promise<void>;
}

export async function startRecorder(target: string): Promise<Recorder> {
  let records: Recorded[] = [];
  let port = 0;
  const server = createServer((incoming, answer) => {
    const outgoing = send(
      new URL(incoming.url ?? "/", target),
      { method: incoming.method, headers: incoming.headers },
      (response) => {
        records.push({
          method: incoming.method ?? "",
          url: new URL(incoming.url ?? "/", target),
          headers: incoming.headers,
          status: response.statusCode ?? 0,
          answerHeaders: response.headers,
        });
        setTimeout(() => {
          answer.writeHead(response.statusCode ?? 502, response.headers);
          response.pipe(answer);
        }, recorder.delay);
      },
    );
    outgoing.on("error", () => answer.destroy());
    incoming.pipe(outgoing);
  });
  const recorder: Recorder = {
    url: "",
    delay: 0,
    take: () => {
      const taken = records;
      records = [];
      return taken;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
    open: () => new Promise((resolve) => server.listen(port, "127.0.0.1", resolve)),
    [Symbol.asyncDispose]: () => recorder.close(),
  };
  await recorder.open();
  ({ port } = server.address() as AddressInfo);
  recorder.url = `http://127.0.0.1:${port}`;
  return recorder;
}
