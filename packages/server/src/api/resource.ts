import {
  BulkOf,
  BulkResultOf,
  Id,
  IdentityError,
  MAXIMUM_BULK_OPERATIONS,
  type Page,
  PageOf,
} from "@ostiary/contracts";
import type { FastifyInstance } from "fastify";
import { type Static, type TObject, type TSchema, Type } from "typebox";
import type { Deps } from "../domain/deps.ts";
import type { RequestContext } from "../kernel/context.ts";
import { answer, IdempotencyHeader, IdempotencyHeaders } from "./idempotency.ts";
import { problems } from "./problems.ts";
import { type Operation, runBulk } from "./run-bulk.ts";

/** Bytes: a thousand operations of 8 KiB. */
const BULK_BODY_LIMIT = 8 * 1024 * 1024;

export const IdParameters = Type.Object({ id: Id });

/** The headers of a change or deletion. */
export const ChangeHeaders = Type.Object({
  ...IdempotencyHeader,
  "if-match": Type.Optional(
    Type.String({
      maxLength: 64,
      description: "The `ETag` of what you read: refused with 412 when it was changed since",
    }),
  ),
});

/** One kind of object with its six routes: list, get, create, change, delete and bulk. */
export interface Resource<
  Item extends TSchema,
  Create extends TSchema,
  Change extends TSchema,
  Query extends TObject,
  Created extends TSchema = Item,
> {
  /** `/users` */
  path: string;
  /** In English and in PascalCase as operation ids need it: `user`, `users`, `User`, `Users`. */
  names: { one: string; many: string; One: string; Many: string };
  /** Permission codes, for the descriptions; the domain functions check them. */
  permissions: { read: string; write: string };
  schemas: {
    item: Item;
    create: Create;
    change: Change;
    query: Query;
    /** When creation shows something once that nobody sees again. */
    created?: Created;
  };
  /** Said in the reference beside what holds for every kind of object. */
  notes?: { list?: string; create?: string; change?: string; remove?: string };
  list(deps: Deps, context: RequestContext, query: Static<Query>): Promise<Page<Static<Item>>>;
  get(deps: Deps, context: RequestContext, id: string): Promise<Static<Item>>;
  create(deps: Deps, context: RequestContext, input: Static<Create>): Promise<Static<Created>>;
  change(
    deps: Deps,
    context: RequestContext,
    id: string,
    input: Static<Change>,
    expectedVersion?: number,
  ): Promise<Static<Item>>;
  remove(deps: Deps, context: RequestContext, id: string, expectedVersion?: number): Promise<void>;
}

type AnyResource = Resource<TSchema, TSchema, TSchema, TObject, TSchema>;

/** What every object has that is a resource. */
interface Versioned {
  id: string;
  version: number;
}

/** Registers the six routes, so that all kinds of objects behave alike. */
export function registerResource<
  Item extends TSchema,
  Create extends TSchema,
  Change extends TSchema,
  Query extends TObject,
  Created extends TSchema = Item,
>(app: FastifyInstance, deps: Deps, given: Resource<Item, Create, Change, Query, Created>): void {
  const resource = given as unknown as AnyResource;
  registerReading(app, deps, resource);
  registerCreation(app, deps, resource);
  registerChange(app, deps, resource);
  registerDeletion(app, deps, resource);
  registerBulk(app, deps, resource);
}

export function etag(version: number): Record<string, string> {
  return { etag: `"${version}"` };
}

/**
 * The version that `If-Match` names (RFC 9110 §13.1.1); absent and `*` name none. Our tags are strong and one is
 * enough, so anything else matches nothing.
 *
 * @throws IdentityError `precondition.failed`
 */
export function expectedVersion(header: string | string[] | undefined): number | undefined {
  if (header === undefined || header === "*") return undefined;
  const version = typeof header === "string" ? /^"([1-9][0-9]{0,8})"$/.exec(header)?.[1] : undefined;
  if (version === undefined) throw new IdentityError("precondition.failed", { reason: "no such tag" });
  return Number(version);
}

function describe(permission: string, note: string | undefined): string {
  return [`Needs the permission \`${permission}\`.`, note].filter(Boolean).join(" ");
}

function registerReading(app: FastifyInstance, deps: Deps, resource: AnyResource): void {
  const { path, names, permissions, schemas, notes } = resource;
  app.get(
    path,
    {
      schema: {
        operationId: `list${names.Many}`,
        summary: `List ${names.many}`,
        description: describe(permissions.read, notes?.list),
        tags: [names.Many],
        querystring: schemas.query,
        response: { 200: PageOf(schemas.item), ...problems() },
      },
    },
    (request) => resource.list(deps, request.context, request.query as never),
  );
  app.get<{ Params: { id: string } }>(
    `${path}/:id`,
    {
      schema: {
        operationId: `get${names.One}`,
        summary: `Read one ${names.one}`,
        description: describe(permissions.read, undefined),
        tags: [names.Many],
        params: IdParameters,
        response: { 200: schemas.item, ...problems() },
      },
    },
    async (request, reply) => {
      const item = (await resource.get(deps, request.context, request.params.id)) as Versioned;
      return reply.headers(etag(item.version)).send(item);
    },
  );
}

function registerCreation(app: FastifyInstance, deps: Deps, resource: AnyResource): void {
  const { path, names, permissions, schemas, notes } = resource;
  app.post(
    path,
    {
      schema: {
        operationId: `create${names.One}`,
        summary: `Create ${article(names.one)}`,
        description: describe(permissions.write, notes?.create),
        tags: [names.Many],
        headers: IdempotencyHeaders,
        body: schemas.create,
        response: { 201: schemas.created ?? schemas.item, ...problems(409, 413, 415, 422) },
      },
    },
    (request, reply) =>
      answer(deps, request, reply, async (joined) => {
        const item = (await resource.create(joined, request.context, request.body as never)) as Versioned;
        const location = `/api/v1${path}/${item.id}`;
        return { status: 201, headers: { ...etag(item.version), location }, body: item };
      }),
  );
}

function registerChange(app: FastifyInstance, deps: Deps, resource: AnyResource): void {
  const { path, names, permissions, schemas, notes } = resource;
  app.patch<{ Params: { id: string } }>(
    `${path}/:id`,
    {
      schema: {
        operationId: `update${names.One}`,
        summary: `Change ${article(names.one)}`,
        description: describe(
          permissions.write,
          notes?.change ?? "What is absent stays; `null` clears a field (RFC 7386).",
        ),
        tags: [names.Many],
        params: IdParameters,
        headers: ChangeHeaders,
        body: schemas.change,
        response: { 200: schemas.item, ...problems(409, 412, 413, 415, 422) },
      },
    },
    (request, reply) =>
      answer(deps, request, reply, async (joined) => {
        const { context, params, body, headers } = request;
        const version = expectedVersion(headers["if-match"]);
        const item = (await resource.change(joined, context, params.id, body as never, version)) as Versioned;
        return { status: 200, headers: etag(item.version), body: item };
      }),
  );
}

function registerDeletion(app: FastifyInstance, deps: Deps, resource: AnyResource): void {
  const { path, names, permissions, notes } = resource;
  app.delete<{ Params: { id: string } }>(
    `${path}/:id`,
    {
      schema: {
        operationId: `delete${names.One}`,
        summary: `Delete ${article(names.one)}`,
        description: describe(permissions.write, notes?.remove),
        tags: [names.Many],
        params: IdParameters,
        headers: ChangeHeaders,
        response: { 204: Type.Null({ description: "Deleted" }), ...problems(409, 412, 422) },
      },
    },
    (request, reply) =>
      answer(deps, request, reply, async (joined) => {
        const { context, params, headers } = request;
        await resource.remove(joined, context, params.id, expectedVersion(headers["if-match"]));
        return { status: 204, headers: {} };
      }),
  );
}

function registerBulk(app: FastifyInstance, deps: Deps, resource: AnyResource): void {
  const { path, names, permissions, schemas } = resource;
  app.post<{ Body: { operations: Operation[] } }>(
    `${path}/bulk`,
    {
      bodyLimit: BULK_BODY_LIMIT,
      schema: {
        operationId: `bulk${names.Many}`,
        summary: `Create, change and delete many ${names.many}`,
        description: describe(
          permissions.write,
          `Up to ${MAXIMUM_BULK_OPERATIONS} operations in order, all or nothing. An error names the operation in ` +
            "`errors[].path`.",
        ),
        tags: [names.Many],
        headers: IdempotencyHeaders,
        body: BulkOf(schemas.create, schemas.change),
        response: {
          200: BulkResultOf(schemas.created ? Type.Union([schemas.created, schemas.item]) : schemas.item),
          ...problems(409, 413, 415, 422),
        },
      },
    },
    (request, reply) =>
      answer(deps, request, reply, async (joined) => {
        const results = await runBulk(joined, request.context, resource, request.body.operations);
        return { status: 200, headers: {}, body: { results } };
      }),
  );
}

function article(noun: string): string {
  return `${/^[aeio]/i.test(noun) ? "an" : "a"} ${noun}`;
}
