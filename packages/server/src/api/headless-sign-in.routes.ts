import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import {
  BegunTotp,
  FinishedSignIn,
  Id,
  SIGN_IN_STEP_BODIES,
  SignInFlow,
  SignInPasskeyOptions,
  SignInStepResult,
  StartedSignIn,
  StartSignIn,
} from "@ostiary/contracts";
import type { FastifyReply, FastifyRequest } from "fastify";
import { Type } from "typebox";
import type { Deps } from "../domain/deps.ts";
import {
  beginEnrolPasskey,
  beginEnrolTotp,
  type Flow,
  findHeadlessFlow,
  finishHeadlessFlow,
  flowView,
  passkeyOptions,
  startHeadlessFlow,
} from "../domain/sign-in/index.ts";
import { HEADLESS_STEPS, type HeadlessStep } from "./headless-steps.ts";
import { problems } from "./problems.ts";

type App = Parameters<FastifyPluginAsyncTypebox>[0];

const ROOT = "/sign-in/flows";
const tags = ["Sign-in with own forms"];
const FlowParameters = Type.Object({ id: Id });
const FlowHeaders = Type.Object({
  "ostiary-flow": Type.Optional(
    Type.String({ maxLength: 128, pattern: "^[A-Za-z0-9_-]+$", description: "The flow's secret" }),
  ),
  "ostiary-device": Type.Optional(
    Type.String({
      maxLength: 1_024,
      pattern: "^[\\u0021-\\u007E]+$",
      description: "`device` of a sign-in before",
    }),
  ),
});
const ANSWERS = problems(403, 404, 409, 413, 415, 429);
/** A passkey's answer is the largest; in bytes. */
const STEP_BODY_LIMIT = 64 * 1024;
const ALLOWED_HEADERS = "content-type, ostiary-flow, ostiary-device, ostiary-tenant, traceparent";

/** The sign-in for an application's own forms: every step of the table in `domain/sign-in`, and its view. */
export function headlessSignInRoutes(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.addHook("onSend", (request, reply, _payload, done) => {
      allowOrigin(request, reply);
      done();
    });
    registerPreflights(app);
    registerFlow(app, deps);
    registerPreparations(app, deps);
    for (const step of Object.keys(SIGN_IN_STEP_BODIES) as HeadlessStep[]) registerStep(app, deps, step);
  };
}

/**
 * Where the origin is not the application's the request was refused before anything was done, and the page may read
 * that it was; no cookie is involved in any way.
 */
function allowOrigin(request: FastifyRequest, reply: FastifyReply): void {
  const { origin } = request.headers;
  reply.header("vary", "origin");
  if (origin !== undefined) reply.header("access-control-allow-origin", origin);
}

/** A preflight names neither flow nor application, so it is answered for every origin; it gives nothing away. */
function registerPreflights(app: App): void {
  const steps = Object.keys(SIGN_IN_STEP_BODIES).map((step) => `/:id/steps/${step}`);
  const others = [
    "",
    "/:id",
    "/:id/finish",
    "/:id/passkey-options",
    "/:id/enrol-passkey-options",
    "/:id/totp",
  ];
  for (const path of [...others, ...steps].map((end) => ROOT + end)) {
    app.options(path, { config: { public: true }, schema: { hide: true } }, (_request, reply) =>
      reply
        .headers({
          "access-control-allow-methods": "GET, POST",
          "access-control-allow-headers": ALLOWED_HEADERS,
          "access-control-max-age": "7200",
        })
        .code(204)
        .send(),
    );
  }
}

function registerFlow(app: App, deps: Deps): void {
  app.post(
    ROOT,
    {
      config: { public: true },
      schema: {
        operationId: "startSignIn",
        summary: "Begin a sign-in with your own forms",
        description:
          "For applications of one's own with the setting `headlessSignIn` and `implicit` consent. From browsers: only " +
          "from an origin of the application. See docs/headless-sign-in.md.",
        tags,
        body: StartSignIn,
        response: { 201: StartedSignIn, ...ANSWERS },
      },
    },
    async (request, reply) => {
      const { tenant, context, body } = request;
      const { flow, secret } = await startHeadlessFlow(deps, context, tenant, body, originOf(request));
      return reply.code(201).send({ flow: await viewOf(deps, request, flow), secret });
    },
  );
  app.get(
    `${ROOT}/:id`,
    {
      config: { public: true },
      schema: {
        operationId: "getSignIn",
        summary: "Read where a sign-in is and what may be done next",
        description: "Needs the flow's secret.",
        tags,
        params: FlowParameters,
        headers: FlowHeaders,
        response: { 200: SignInFlow, ...ANSWERS },
      },
    },
    async (request) => viewOf(deps, request, await flowOf(deps, request)),
  );
  app.post(
    `${ROOT}/:id/finish`,
    {
      config: { public: true },
      schema: {
        operationId: "finishSignIn",
        summary: "Take the authorization code of a finished sign-in",
        description:
          "In state `authenticated`, once. The token endpoint gives tokens for the code, the verifier, and the client's " +
          "authentication where the application has one.",
        tags,
        params: FlowParameters,
        headers: FlowHeaders,
        response: { 200: FinishedSignIn, ...ANSWERS },
      },
    },
    (request) => {
      const { context, tenant, params } = request;
      return finishHeadlessFlow(deps, context, tenant, params.id, keyOf(request));
    },
  );
}

/** What must be asked for before a step can be taken. */
function registerPreparations(app: App, deps: Deps): void {
  const shared = { tags, params: FlowParameters, headers: FlowHeaders };
  app.post(
    `${ROOT}/:id/passkey-options`,
    {
      config: { public: true },
      schema: {
        ...shared,
        operationId: "getSignInPasskeyOptions",
        summary: "Get what `navigator.credentials.get` needs, for `use-passkey`",
        description: "As first factor it names nobody's passkeys.",
        response: { 200: SignInPasskeyOptions, ...ANSWERS },
      },
    },
    async (request) => {
      const options = await passkeyOptions(
        deps,
        request.context,
        request.tenant,
        await flowOf(deps, request),
      );
      return { options };
    },
  );
  app.post(
    `${ROOT}/:id/enrol-passkey-options`,
    {
      config: { public: true },
      schema: {
        ...shared,
        operationId: "getSignInEnrolmentOptions",
        summary: "Get what `navigator.credentials.create` needs, for `enrol-passkey`",
        description: "In state `enrol-factor`.",
        response: { 200: SignInPasskeyOptions, ...ANSWERS },
      },
    },
    async (request) => {
      const flow = await flowOf(deps, request);
      const options = await beginEnrolPasskey(deps, request.context, request.tenant, flow);
      return { options };
    },
  );
  app.post(
    `${ROOT}/:id/totp`,
    {
      config: { public: true },
      schema: {
        ...shared,
        operationId: "beginSignInTotp",
        summary: "Make a key for an authenticator app, for `enrol-totp`",
        description: "In state `enrol-factor`. It is a factor once its first code was given.",
        response: { 200: BegunTotp, ...ANSWERS },
      },
    },
    async (request) => beginEnrolTotp(deps, request.context, request.tenant, await flowOf(deps, request)),
  );
}

function registerStep(app: App, deps: Deps, step: HeadlessStep): void {
  app.post(
    `${ROOT}/:id/steps/${step}`,
    {
      bodyLimit: STEP_BODY_LIMIT,
      config: { public: true },
      schema: {
        operationId: `signIn${pascal(step)}`,
        summary: `Take the step \`${step}\``,
        description: "Needs the flow's secret. Where the step is not the next one: `flow.wrong_step`.",
        tags,
        params: FlowParameters,
        headers: FlowHeaders,
        body: SIGN_IN_STEP_BODIES[step],
        response: { 200: SignInStepResult, ...ANSWERS },
      },
    },
    async (request) => {
      const { context, tenant } = request;
      const flow = await flowOf(deps, request);
      const device = request.headers["ostiary-device"];
      const input = { ...(request.body as object), ...(device === undefined ? {} : { device }) };
      const result = await HEADLESS_STEPS[step](deps, context, tenant, flow, input as never);
      return { flow: await viewOf(deps, request, result.flow), device: result.deviceCookie ?? null };
    },
  );
}

/** Without the steps that only our own pages take. */
async function viewOf(deps: Deps, { context, tenant }: FastifyRequest, flow: Flow): Promise<SignInFlow> {
  const view = await flowView(deps, context, tenant, flow);
  return { ...view, steps: view.steps.filter((step) => step in HEADLESS_STEPS) };
}

function flowOf(deps: Deps, request: FastifyRequest): Promise<Flow> {
  const { id } = request.params as { id: string };
  return findHeadlessFlow(deps, request.context, request.tenant, id, keyOf(request));
}

function keyOf(request: FastifyRequest): { secret: string | undefined; origin: string | null } {
  const secret = request.headers["ostiary-flow"];
  return { secret: typeof secret === "string" ? secret : undefined, origin: originOf(request) };
}

function originOf(request: FastifyRequest): string | null {
  return request.headers.origin ?? null;
}

const pascal = (words: string) =>
  words.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
