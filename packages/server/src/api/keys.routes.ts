import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import {
  DialectKey,
  DialectKeys,
  RotateDialectKeys,
  RotateSigningKeys,
  SigningKey,
  SigningKeys,
} from "@ostiary/contracts";
import type { FastifyInstance } from "fastify";
import { type Static, type TSchema, Type } from "typebox";
import type { Deps } from "../domain/deps.ts";
import {
  deleteDialectKey,
  deleteSigningKey,
  listDialectKeys,
  listSigningKeys,
  rotateDialectKeys,
  rotateSigningKeys,
} from "../domain/tokens/index.ts";
import type { RequestContext } from "../kernel/context.ts";
import { answer, IdempotencyHeaders } from "./idempotency.ts";
import { problems } from "./problems.ts";

const KeyParameters = Type.Object({
  kid: Type.String({ minLength: 1, maxLength: 128, pattern: "^[A-Za-z0-9_-]+$" }),
});

/** One kind of key with its three routes: list, rotate and forget. */
interface KeyKind<Key, Rotate extends TSchema> {
  /** `/signing-keys` */
  path: string;
  /** In English and in PascalCase as operation ids need it. */
  names: { one: string; many: string; One: string; Many: string };
  schemas: { key: TSchema; keys: TSchema; rotate: Rotate };
  /** Said in the reference beside what holds for both kinds. */
  notes: { list: string; rotate: string };
  list(deps: Deps, context: RequestContext): Promise<Key[]>;
  rotate(deps: Deps, context: RequestContext, input: Static<Rotate>): Promise<Key>;
  forget(deps: Deps, context: RequestContext, kid: string): Promise<void>;
}

/** The keys that sign a tenant's tokens. They rotate by themselves; this is for when that is not soon enough. */
export function signingKeyRoutes(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) =>
    registerKeys(app, deps, {
      path: "/signing-keys",
      names: { one: "signing key", many: "signing keys", One: "SigningKey", Many: "SigningKeys" },
      schemas: { key: SigningKey, keys: SigningKeys, rotate: RotateSigningKeys },
      notes: {
        list: "The private halves are never shown.",
        rotate: "To sign with another algorithm, change the setting `tokens.signingAlgorithm`.",
      },
      list: listSigningKeys,
      rotate: (joined, context, { algorithm }) => rotateSigningKeys(joined, context, algorithm),
      forget: deleteSigningKey,
    });
}

/** The keys of the dialects: like the signing keys, but never among those that OpenID Connect publishes. */
export function dialectKeyRoutes(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) =>
    registerKeys(app, deps, {
      path: "/dialect-keys",
      names: {
        one: "key of a dialect",
        many: "the keys of dialects",
        One: "DialectKey",
        Many: "DialectKeys",
      },
      schemas: { key: DialectKey, keys: DialectKeys, rotate: RotateDialectKeys },
      notes: {
        list: "A dialect's first key is made when it is first needed.",
        rotate: "Whoever keeps a copy of the public key must fetch the new one.",
      },
      list: listDialectKeys,
      rotate: (joined, context, { purpose }) => rotateDialectKeys(joined, context, purpose),
      forget: deleteDialectKey,
    });
}

function registerKeys<Key extends object, Rotate extends TSchema>(
  app: FastifyInstance,
  deps: Deps,
  kind: KeyKind<Key, Rotate>,
): void {
  const { path, names, schemas, notes } = kind;
  app.get(
    path,
    {
      schema: {
        operationId: `list${names.Many}`,
        summary: `List ${names.many}`,
        description: `Needs the permission \`signing-key:read\`. ${notes.list}`,
        tags: ["Signing keys"],
        response: { 200: schemas.keys, ...problems() },
      },
    },
    async (request) => ({ items: await kind.list(deps, request.context) }),
  );
  app.post(
    `${path}/rotate`,
    {
      schema: {
        operationId: `rotate${names.Many}`,
        summary: `Make a new ${names.one}`,
        description:
          "Needs the permission `signing-key:write`. The new key signs from now on; the one before verifies until " +
          `its tokens have expired. ${notes.rotate}`,
        tags: ["Signing keys"],
        headers: IdempotencyHeaders,
        body: schemas.rotate,
        response: { 201: schemas.key, ...problems(409, 413, 415, 422) },
      },
    },
    (request, reply) =>
      answer(deps, request, reply, async (joined) => {
        const key = await kind.rotate(joined, request.context, request.body as Static<Rotate>);
        return { status: 201, headers: { location: `/api/v1${path}` }, body: key };
      }),
  );
  app.delete<{ Params: { kid: string } }>(
    `${path}/:kid`,
    {
      schema: {
        operationId: `delete${names.One}`,
        summary: `Forget a ${names.one}`,
        description:
          "Needs the permission `signing-key:write`. Everything it signed is refused at once: for a key that " +
          "leaked. The key that signs now cannot be forgotten; rotate first.",
        tags: ["Signing keys"],
        params: KeyParameters,
        headers: IdempotencyHeaders,
        response: { 204: Type.Null({ description: "Forgotten" }), ...problems(409, 422) },
      },
    },
    (request, reply) =>
      answer(deps, request, reply, async (joined) => {
        await kind.forget(joined, request.context, request.params.kid);
        return { status: 204, headers: {} };
      }),
  );
}
