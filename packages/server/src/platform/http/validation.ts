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

/** A validator is made at the first request that needs it: made for all routes they would slow every start. */
export const validatorCompiler: FastifySchemaCompiler<object> = ({ schema, httpPart }) => {
  const ajv = httpPart === "body" ? strict : coercing;
  let made: ValidateFunction | undefined;
  const validate = (data: unknown): boolean => {
    made ??= ajv.compile(schema);
    const valid = made(data);
    validate.errors = made.errors;
    return valid;
  };
  validate.errors = undefined as ValidateFunction["errors"];
  return validate as ValidateFunction;
};
