import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import { nodeTransport } from "./transport.ts";

const running: Server[] = [];

afterEach(() => {
  for (const server of running.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(listener: RequestListener): Promise<URL> {
  const server = createServer(listener);
  running.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
}

const send = (url: URL, timeoutMs = 2_000) =>
  nodeTransport()({ url, headers: { "X-Bkapi-Authorization": "{}" }, timeoutMs });

it("returns a redirect as it is, and calls nobody else", async () => {
  const called: (string | undefined)[] = [];
  const url = await serve((request, response) => {
    called.push(request.url);
    response.writeHead(302, { location: "/elsewhere" }).end();
  });
  expect((await send(url)).status).toBe(302);
  expect(called).toEqual(["/"]);
});

it("keeps no cookie, and writes the names of headers as given", async () => {
  const seen: string[][] = [];
  const url = await serve((request, response) => {
    seen.push(request.rawHeaders);
    response.writeHead(200, { "set-cookie": "a=1; Path=/" }).end("{}");
  });
  const transport = nodeTransport();
  const request = { url, headers: { "X-Bkapi-Authorization": "{}" }, timeoutMs: 2_000 };
  await transport(request);
  await transport(request);
  expect(seen).toHaveLength(2);
  for (const names of seen) {
    expect(names).toContain("X-Bkapi-Authorization");
    expect(names.map((name) => name.toLowerCase())).not.toContain("cookie");
  }
});

it("gives up on an answer that takes too long, also in the middle", async () => {
  const url = await serve((_, response) => {
    response.writeHead(200);
    response.write("{");
  });
  const began = performance.now();
  await expect(send(url, 200)).rejects.toMatchObject({
    code: expect.stringMatching(/service.unavailable|ECONNRESET/),
  });
  expect(performance.now() - began).toBeLessThan(1_500);
});

it("gives up on an answer without an end", async () => {
  const url = await serve((_, response) => {
    response.writeHead(200);
    const more = () => {
      if (!response.destroyed && response.write("x".repeat(65_536))) setImmediate(more);
      else if (!response.destroyed) response.once("drain", more);
    };
    more();
  });
  await expect(send(url, 5_000)).rejects.toThrow();
});

it("rejects a broken answer and a port where nobody listens", async () => {
  const url = await serve((request) => request.socket.destroy());
  await expect(send(url)).rejects.toMatchObject({ code: "ECONNRESET" });
  for (const server of running.splice(0)) server.close();
  await expect(send(url)).rejects.toMatchObject({ code: "ECONNREFUSED" });
});
