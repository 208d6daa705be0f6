import { Ajv, type ValidateFunction } from "ajv";
import addFormats from "ajv-formats";
import type { FastifySchemaCompiler } from "fastify";

/** Nothing is coerced in a body and unknown fields are refused; parameters arrive as text, so they are coerced. */
const strict = withFormats(
  new Ajv({
    coerceTypes: false,
    useDefaults: true,
    removeAdditional: false,
    allErrors: false,
    strict: false,
  }),
);
const coercing = withFormats(
  new Ajv({ coerceTypes: true, useDefaults: true, removeAdditional: false, allErrors: false, strict: false }),
);

function withFormats(ajv: Ajv): Ajv {
  addFormats.default(ajv, ["date-time", "date", "email", "uri", "ipv4", "ipv6"]);
  return ajv;
}

export const validatorCompiler: FastifySchemaCompiler<object> = ({ schema, httpPart }): ValidateFunction =>
  (httpPart === "body" ? strict : coercing).compile(schema);
