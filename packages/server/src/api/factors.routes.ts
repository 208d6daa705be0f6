import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import {
  BeginTotp,
  BegunTotp,
  ConfirmTotp,
  Factor,
  Id,
  IdentityError,
  KnownDevices,
  PasskeyOptions,
  RecoveryCodes,
  RegisterPasskey,
  RenameFactor,
  UserFactors,
} from "@ostiary/contracts";
import { Type } from "typebox";
import { checkNotImpersonated } from "../domain/access/index.ts";
import {
  beginPasskey,
  beginTotp,
  confirmTotp,
  finishPasskey,
  forgetDevice,
  listAllFactors,
  listFactors,
  listFactorsOfUser,
  listKnownDevices,
  makeRecoveryCodes,
  removeFactorOfUser,
  renameFactor,
  resetFactorsOfUser,
} from "../domain/credentials/index.ts";
import type { Deps } from "../domain/deps.ts";
import { checkRecentAuthentication } from "../domain/sessions/index.ts";
import { removeOwnFactor } from "../domain/sign-in/index.ts";
import type { RequestContext } from "../kernel/context.ts";
import { answer, IdempotencyHeaders } from "./idempotency.ts";
import { OWN_SCOPE, ownUserId } from "./own-account.ts";
import { problems } from "./problems.ts";
import { IdParameters } from "./resource.ts";

type App = Parameters<FastifyPluginAsyncTypebox>[0];

const OWN = ["Own account"];
const RECENT = `${OWN_SCOPE} Needs a sign-in of the last ten minutes (\`authentication.stale\` else).`;
const ONCE = "No idempotency key: what it answers is shown once.";
const CONTROL = "Needs the permission `user:write` and every permission that the user has.";
const FactorParameters = Type.Object({ id: Id, factorId: Id });

/** Second factors, passkeys and remembered devices: one's own, and those of users for administrators. */
export function factorRoutes(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    registerTotp(app, deps);
    registerPasskeys(app, deps);
    registerOwn(app, deps);
    registerDevices(app, deps);
    registerAdministration(app, deps);
  };
}

/** The caller's id and session, if he has signed in a moment ago and nobody acts for him. */
async function recent(deps: Deps, context: RequestContext): Promise<{ userId: string; subject: string }> {
  const userId = ownUserId(context);
  const session = await checkRecentAuthentication(deps, context);
  return { userId, subject: session.id };
}

async function ownFactor(deps: Deps, tenantId: string, userId: string, id: string): Promise<Factor> {
  const factor = (await listFactors(deps, tenantId, userId)).find((one) => one.id === id);
  if (!factor) throw new IdentityError("factor.not_found");
  return factor;
}

function registerTotp(app: App, deps: Deps): void {
  app.post(
    "/me/factors/totp",
    {
      schema: {
        operationId: "beginMyTotp",
        summary: "Make a key for an authenticator app",
        description: `${RECENT} It is a factor once a code of it was shown, within an hour. ${ONCE}`,
        tags: OWN,
        body: BeginTotp,
        response: { 201: BegunTotp, ...problems(409, 413, 415) },
      },
    },
    async ({ context, tenant, body }, reply) => {
      const { userId } = await recent(deps, context);
      return reply.code(201).send(await beginTotp(deps, context, tenant, userId, body));
    },
  );
  app.post(
    "/me/factors/totp/:id/confirm",
    {
      schema: {
        operationId: "confirmMyTotp",
        summary: "Show the first code of an authenticator app",
        description: `${RECENT} From now on it is a factor. Wrong codes count for the lock-out.`,
        tags: OWN,
        params: IdParameters,
        body: ConfirmTotp,
        response: { 200: Factor, ...problems(409, 413, 415, 429) },
      },
    },
    async ({ context, tenant, params, body }) => {
      const { userId } = await recent(deps, context);
      const { id } = await deps.database.transaction((tx) =>
        confirmTotp(deps, tx, context, tenant, userId, { id: params.id, code: body.code }),
      );
      return ownFactor(deps, context.tenantId, userId, id);
    },
  );
}

function registerPasskeys(app: App, deps: Deps): void {
  app.post(
    "/me/factors/passkeys/options",
    {
      schema: {
        operationId: "beginMyPasskey",
        summary: "Ask how to make a passkey",
        description: `${RECENT} ${ONCE}`,
        tags: OWN,
        response: { 200: PasskeyOptions, ...problems(409, 413, 415) },
      },
    },
    async ({ context, tenant }) => {
      const { userId, subject } = await recent(deps, context);
      return { ...(await beginPasskey(deps, context, tenant, userId, { subject })) };
    },
  );
  app.post(
    "/me/factors/passkeys",
    {
      schema: {
        operationId: "registerMyPasskey",
        summary: "Register the passkey that the browser has made",
        description: `${RECENT} In the session that asked for the options, within the hour. A repetition is refused.`,
        tags: OWN,
        body: RegisterPasskey,
        response: { 201: Factor, ...problems(409, 413, 415) },
      },
    },
    async ({ context, tenant, body }, reply) => {
      const { userId, subject } = await recent(deps, context);
      const { id } = await deps.database.transaction((tx) =>
        finishPasskey(deps, tx, context, tenant, userId, { subject, ...body }),
      );
      return reply.code(201).send(await ownFactor(deps, context.tenantId, userId, id));
    },
  );
}

function registerOwn(app: App, deps: Deps): void {
  app.get(
    "/me/factors",
    {
      schema: {
        operationId: "listMyFactors",
        summary: "List what one can prove oneself with",
        description: OWN_SCOPE,
        tags: OWN,
        response: { 200: UserFactors, ...problems() },
      },
    },
    ({ context }) => listAllFactors(deps, context.tenantId, ownUserId(context)),
  );
  app.put(
    "/me/factors/:id",
    {
      schema: {
        operationId: "renameMyFactor",
        summary: "Give one of one's own factors another name",
        description: RECENT,
        tags: OWN,
        params: IdParameters,
        headers: IdempotencyHeaders,
        body: RenameFactor,
        response: { 200: Factor, ...problems(409, 413, 415, 422) },
      },
    },
    (request, reply) =>
      answer(deps, request, reply, async (joined) => {
        const { context, params, body } = request;
        const { userId } = await recent(joined, context);
        const { id } = params;
        await joined.database.transaction((tx) =>
          renameFactor(joined, tx, context, userId, { id, name: body.name }),
        );
        return { status: 200, headers: {}, body: await ownFactor(joined, context.tenantId, userId, id) };
      }),
  );
  app.delete(
    "/me/factors/:id",
    {
      schema: {
        operationId: "removeMyFactor",
        summary: "Remove one of one's own factors",
        description: `${RECENT} The last second factor stays where the tenant demands one (\`factor.required\`).`,
        tags: OWN,
        params: IdParameters,
        headers: IdempotencyHeaders,
        response: { 204: Type.Null({ description: "Removed" }), ...problems(409, 422) },
      },
    },
    (request, reply) =>
      answer(deps, request, reply, async (joined) => {
        const { context, tenant, params } = request;
        const { userId } = await recent(joined, context);
        await removeOwnFactor(joined, context, tenant, userId, params.id);
        return { status: 204, headers: {} };
      }),
  );
  app.post(
    "/me/recovery-codes",
    {
      schema: {
        operationId: "makeMyRecoveryCodes",
        summary: "Make ten recovery codes",
        description: `${RECENT} Those from before are worth nothing then. ${ONCE}`,
        tags: OWN,
        response: { 201: RecoveryCodes, ...problems(413, 415) },
      },
    },
    async ({ context }, reply) => {
      const { userId } = await recent(deps, context);
      return reply.code(201).send({ codes: await makeRecoveryCodes(deps, context, userId) });
    },
  );
}

function registerDevices(app: App, deps: Deps): void {
  app.get(
    "/me/devices",
    {
      schema: {
        operationId: "listMyDevices",
        summary: "List the browsers one has signed in from",
        description: `${OWN_SCOPE} The last one first, fifty at most.`,
        tags: OWN,
        response: { 200: KnownDevices, ...problems() },
      },
    },
    async ({ context }) => ({ items: await listKnownDevices(deps, context, ownUserId(context)) }),
  );
  app.delete(
    "/me/devices/:id",
    {
      schema: {
        operationId: "forgetMyDevice",
        summary: "Forget a browser",
        description: `${OWN_SCOPE} It is a new one then, and asked for a second factor. Its session goes on.`,
        tags: OWN,
        params: IdParameters,
        headers: IdempotencyHeaders,
        response: { 204: Type.Null({ description: "Forgotten" }), ...problems(409, 422) },
      },
    },
    (request, reply) =>
      answer(deps, request, reply, async (joined) => {
        const { context, params } = request;
        checkNotImpersonated(context);
        await forgetDevice(joined, context, ownUserId(context), params.id);
        return { status: 204, headers: {} };
      }),
  );
}

function registerAdministration(app: App, deps: Deps): void {
  app.get(
    "/users/:id/factors",
    {
      schema: {
        operationId: "listUserFactors",
        summary: "List what a user can prove himself with",
        description: "Needs the permission `user:read`.",
        tags: ["Users"],
        params: IdParameters,
        response: { 200: UserFactors, ...problems() },
      },
    },
    ({ context, params }) => listFactorsOfUser(deps, context, params.id),
  );
  app.delete(
    "/users/:id/factors/:factorId",
    {
      schema: {
        operationId: "removeUserFactor",
        summary: "Remove a factor of a user",
        description: `${CONTROL} The user is told.`,
        tags: ["Users"],
        params: FactorParameters,
        headers: IdempotencyHeaders,
        response: { 204: Type.Null({ description: "Removed" }), ...problems(409, 422) },
      },
    },
    (request, reply) =>
      answer(deps, request, reply, async (joined) => {
        const { context, params } = request;
        await removeFactorOfUser(joined, context, params.id, params.factorId);
        return { status: 204, headers: {} };
      }),
  );
  app.delete(
    "/users/:id/factors",
    {
      schema: {
        operationId: "resetUserFactors",
        summary: "Remove all factors of a user",
        description:
          `${CONTROL} Authenticator apps, passkeys, recovery codes and remembered devices go; the password stays. ` +
          "Where a second factor is demanded the user sets one up at the next sign-in.",
        tags: ["Users"],
        params: IdParameters,
        headers: IdempotencyHeaders,
        response: { 204: Type.Null({ description: "Removed" }), ...problems(409, 422) },
      },
    },
    (request, reply) =>
      answer(deps, request, reply, async (joined) => {
        const { context, params } = request;
        await resetFactorsOfUser(joined, context, params.id);
        return { status: 204, headers: {} };
      }),
  );
}
