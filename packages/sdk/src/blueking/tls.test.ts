import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { nodeTransport } from "./transport.ts";

/** A key and a certificate for localhost that it signed itself, good for a hundred years; they guard nothing. */
const PEM = readFileSync(join(import.meta.dirname, "testing/localhost.pem"), "utf8");

let server: Server;
let url: URL;

beforeAll(async () => {
  server = createServer({ key: PEM, cert: PEM }, (_, response) => response.end("{}"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = new URL(`https://localhost:${(server.address() as AddressInfo).port}/`);
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const send = (transport: ReturnType<typeof nodeTransport>) =>
  transport({ url, headers: {}, timeoutMs: 2_000 });

it("refuses a login service whose certificate nobody vouches for", async () => {
  await expect(send(nodeTransport())).rejects.toMatchObject({ code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
});

it("takes it with the authority that is given, and without a check only when that is said", async () => {
  expect((await send(nodeTransport({ ca: PEM }))).status).toBe(200);
  expect((await send(nodeTransport({ verify: false }))).status).toBe(200);
});
