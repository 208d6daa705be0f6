import { isUtf8 } from "node:buffer";
import { Readable } from "node:stream";
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import {
  ConfigurationFile,
  ConfigurationResult,
  ConfigurationSchema,
  ExportQuery,
  IdentityError,
} from "@ostiary/contracts";
import type { FastifyRequest } from "fastify";
import {
  applyConfiguration,
  checkSupported,
  exportConfiguration,
  parseYaml,
  planConfiguration,
  readLiterals,
  writeLiterals,
  writeYaml,
} from "../domain/configuration/index.ts";
import type { Deps } from "../domain/deps.ts";
import { parseStrictJson } from "../platform/http/strict-json.ts";
import { answer, IdempotencyHeaders } from "./idempotency.ts";
import { problems } from "./problems.ts";

/** Bytes; some fifty thousand users. */
const BODY_LIMIT = 16 * 1024 * 1024;
/** Bytes. YAML is read a hundred times slower than JSON, and meanwhile nobody else is served. */
const YAML_LIMIT = 512 * 1024;

const NEEDS =
  "Needs the permission `configuration:write`, and what each change needs when it is made by itself; for other " +
  "tenants than one's own `tenants:manage` in the tenant `default`.";
const CONSUMES = ["application/json", "application/yaml"];

const SCHEMA = JSON.stringify({
  $schema: "https://json-schema.org/draft/2020-12/schema",
  ...ConfigurationFile,
});

/** The configuration file: plan, apply, export and its schema. */
export function configurationRoutes(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.addContentTypeParser(
      ["application/yaml", "application/x-yaml"],
      { parseAs: "buffer" },
      async (_request: FastifyRequest, body: Buffer) => readBody(body),
    );
    const change = { consumes: CONSUMES, tags: ["Configuration"], body: ConfigurationFile };
    const responses = { 200: ConfigurationResult, ...problems(409, 413, 415, 422, 429) };

    app.post(
      "/configuration/plan",
      {
        bodyLimit: BODY_LIMIT,
        preValidation: readFile,
        schema: {
          ...change,
          operationId: "planConfiguration",
          summary: "Show what a configuration file would change",
          description: `Nothing is changed; what would be refused is refused already. ${NEEDS}`,
          response: responses,
        },
      },
      (request) => planConfiguration(deps, request.context, request.body),
    );
    app.post(
      "/configuration/apply",
      {
        bodyLimit: BODY_LIMIT,
        preValidation: readFile,
        schema: {
          ...change,
          operationId: "applyConfiguration",
          summary: "Make the tenants what a configuration file says",
          description:
            "All of it or nothing. Changes only what differs and deletes nothing that the file does not name. " +
            `YAML is taken up to 512 KiB, JSON up to 16 MiB. ${NEEDS}`,
          headers: IdempotencyHeaders,
          response: responses,
        },
      },
      (request, reply) =>
        answer(deps, request, reply, async (joined) => ({
          status: 200,
          headers: {},
          body: await applyConfiguration(joined, request.context, request.body),
        })),
    );
    app.get(
      "/configuration/export",
      {
        schema: {
          operationId: "exportConfiguration",
          summary: "Write the tenants as a configuration file",
          description:
            "Hashes stand for passwords, secrets and keys; those of secrets and keys are worth something on this " +
            "installation only. Needs `configuration:read` and the permission to read each part; credentials need `*`.",
          tags: ["Configuration"],
          querystring: ExportQuery,
          response: {
            200: {
              description: "The file",
              content: {
                "application/json": { schema: ConfigurationFile },
                "application/yaml": { schema: ConfigurationFile },
              },
            },
            ...problems(),
          },
        },
      },
      async (request, reply) => {
        const { format, tenant, credentials = true } = request.query;
        const file = writeLiterals(await exportConfiguration(deps, request.context, { tenant, credentials }));
        const json = format === "json" || (!format && request.headers.accept?.includes("application/json"));
        if (json) return reply.type("application/json; charset=utf-8").send(JSON.stringify(file) as never);
        return reply.type("application/yaml; charset=utf-8").send(Readable.from(writeYaml(file)) as never);
      },
    );
    app.get(
      "/configuration/schema",
      {
        config: { public: true },
        schema: {
          operationId: "getConfigurationSchema",
          summary: "Read the JSON Schema of the configuration file",
          description: "Needs no permission.",
          tags: ["Configuration"],
          response: {
            200: {
              description: "JSON Schema, draft 2020-12",
              content: { "application/schema+json": { schema: ConfigurationSchema } },
            },
            ...problems(),
          },
        },
      },
      async (_request, reply) => reply.type("application/schema+json; charset=utf-8").send(SCHEMA as never),
    );
  };
}

/** JSON is YAML too; read as such it is quicker. */
function readBody(body: Buffer): unknown {
  if (!isUtf8(body)) throw new IdentityError("request.invalid_text", { reason: "body is not UTF-8" });
  const text = body.toString("utf8").replace(/^\uFEFF/, "");
  if (/^\s*\{/.test(text)) {
    try {
      return parseStrictJson(Buffer.from(text));
    } catch (error) {
      if (!(error instanceof IdentityError) || error.code !== "request.malformed_json") throw error;
    }
  }
  if (body.length > YAML_LIMIT) {
    throw new IdentityError("request.too_large", { reason: "YAML above its limit: send JSON" });
  }
  return parseYaml(text);
}

/** What the schema cannot say in good words, before the schema says it in bad ones. */
async function readFile(request: FastifyRequest): Promise<void> {
  checkSupported(request.body);
  request.body = readLiterals(request.body);
}
