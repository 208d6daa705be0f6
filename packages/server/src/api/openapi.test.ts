import { ERRORS } from "@ostiary/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aServer, type TestServer } from "../testing/a-server.ts";

interface Operation {
  operationId?: string;
  summary?: string;
  description?: string;
  tags?: string[];
  security?: object[];
  requestBody?: object;
  responses: Record<string, { content?: Record<string, { schema?: object }> }>;
}

let server: TestServer;
let operations: { name: string; method: string; operation: Operation }[];

beforeAll(async () => {
  server = await aServer();
  const document = (await server.app.inject("/api/v1/openapi.json")).json<{
    openapi: string;
    paths: Record<string, Record<string, Operation>>;
  }>();
  expect(document.openapi).toBe("3.1.0");
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      method,
      operation,
    })),
  );
});
afterAll(() => server[Symbol.asyncDispose]());

describe("the OpenAPI document", () => {
  it("has every route with summary, description, tag and an operation id of its own", () => {
    expect(operations.length).toBeGreaterThan(70);
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { name, operation } of operations) {
      expect(operation.operationId, name).toMatch(/^[a-z][A-Za-z]+$/);
      expect(operation.summary, name).toMatch(/^[A-Z].{5,}[^.]$/);
      expect(operation.description, name).toBeTruthy();
      expect(operation.tags, name).toHaveLength(1);
    }
  });

  it("names the statuses that can always come: success, bad request, missing credentials, an unavailable server", () => {
    for (const { name, method, operation } of operations) {
      const statuses = Object.keys(operation.responses);
      expect(
        statuses.some((status) => status.startsWith("2")),
        name,
      ).toBe(true);
      expect(statuses, name).toEqual(expect.arrayContaining(["400", "401", "503"]));
      if (operation.requestBody) expect(statuses, name).toEqual(expect.arrayContaining(["413", "415"]));
      if (method === "patch") expect(statuses, name).toContain("412");
      expect(statuses, name).not.toContain("500");
    }
  });

  it("gives a schema for every answer that has a body, problem documents for every refusal", () => {
    for (const { name, operation } of operations) {
      for (const [status, answer] of Object.entries(operation.responses)) {
        if (status === "204") continue;
        const [type, content] = Object.entries(answer.content ?? {})[0] ?? [];
        expect(content?.schema, `${name} ${status}`).toBeTruthy();
        if (Number(status) >= 400) expect(type, `${name} ${status}`).toBe("application/problem+json");
      }
    }
  });

  it("only leaves out credentials where none are needed", () => {
    const open = operations
      .filter(({ operation }) => operation.security?.length === 0)
      .map(({ name }) => name)
      .filter((name) => !name.includes("/sign-in/flows")); // the flow's secret is what they need
    expect(open).toEqual(["GET /api/v1/configuration/schema", "POST /api/v1/sign-in"]);
  });

  it("has a reference page without script that names every operation and every error", async () => {
    const page = await server.app.inject("/api/v1/docs");
    expect(page.headers["content-type"]).toContain("text/html");
    expect(page.body).not.toContain("<script");
    for (const { operation } of operations) expect(page.body).toContain(`id="${operation.operationId}"`);
    const refused = (await server.app.inject("/api/v1/users")).json<{ type: string }>();
    expect(refused.type).toBe("/api/v1/docs#authentication.required");
    for (const code of Object.keys(ERRORS)) expect(page.body).toContain(`<tr id="${code}">`);
  });
});

it("every error of the registry has a status of the 4xx or 5xx and a sentence that ends", () => {
  for (const [code, { status, message }] of Object.entries(ERRORS)) {
    expect(code).toMatch(/^[a-z_]+\.[a-z_]+$/);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(message).toMatch(/^[A-Z].*\.$/);
  }
});
