import { expect, it } from "vitest";
import { aServer } from "../testing/a-server.ts";
import { callApi } from "../testing/api-client.ts";

it("lists, rotates and forgets the keys of dialects, and never shows what signs", async () => {
  await using server = await aServer();
  expect((await callApi(server, "GET", "/dialect-keys")).json()).toEqual({ items: [] });

  const rotate = (purpose: string) => callApi(server, "POST", "/dialect-keys/rotate", { body: { purpose } });
  const first = await rotate("blueking");
  expect(first.statusCode).toBe(201);
  expect(first.json()).toMatchObject({ purpose: "blueking", algorithm: "RS512", status: "active" });
  const second = (await rotate("blueking")).json();
  const secret = (await rotate("zibanu")).json();
  expect(secret).toMatchObject({ algorithm: "HS512", publicKey: null });

  const list = await callApi(server, "GET", "/dialect-keys");
  expect(list.json().items).toHaveLength(3);
  expect(list.body).not.toMatch(/PRIVATE|ecret/);
  expect((await callApi(server, "DELETE", `/dialect-keys/${second.kid}`)).statusCode).toBe(409);
  expect((await callApi(server, "DELETE", `/dialect-keys/${first.json().kid}`)).statusCode).toBe(204);
  expect((await callApi(server, "DELETE", `/dialect-keys/${first.json().kid}`)).statusCode).toBe(404);
  expect((await rotate("other")).statusCode).toBe(400);
});
