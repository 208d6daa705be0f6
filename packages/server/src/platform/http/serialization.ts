import fastJsonStringify from "fast-json-stringify";
import type { FastifySerializerCompiler } from "fastify";

const made = new WeakMap<object, (data: unknown) => string>();

/**
 * Answers hold the fields of their schema and no others. A serializer is made at the first answer and once for each
 * schema: made for all routes and statuses at the start they cost most of a second of it, the problem document alone
 * seven hundred times.
 */
export const serializerCompiler: FastifySerializerCompiler<object> = ({ schema }) => {
  return (data) => {
    let serialize = made.get(schema);
    if (!serialize) {
      serialize = fastJsonStringify(schema as Parameters<typeof fastJsonStringify>[0]);
      made.set(schema, serialize);
    }
    return serialize(data);
  };
};
