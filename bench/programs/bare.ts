/** The limit of everything that goes over HTTP: node:http, a JSON body in, a JSON answer out, and nothing between. */
import { createServer } from "node:http";
import { tell } from "../child.ts";

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const { token } = JSON.parse(Buffer.concat(chunks).toString("utf8")) as { token: string };
    const answer = JSON.stringify({
      code: 0,
      message: "ok",
      data: {
        valid: token.length > 0,
        userId: "1000001",
        username: "user1000001",
        expiresAt: "2026-01-01T00:00:00.000Z",
      },
    });
    response.writeHead(200, {
      "content-type": "application/json; charset=utf-8",
      "content-length": Buffer.byteLength(answer),
    });
    response.end(answer);
  });
});

server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  tell({ ready: true, port: typeof address === "object" && address ? address.port : 0 });
});
