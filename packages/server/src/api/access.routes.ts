import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import {
  AccessExplanation,
  AccessList,
  AccessListQuestion,
  AccessQuestion,
  AccessQuestions,
  AccessSimulated,
  AccessSimulation,
  AccessVerdict,
  AccessVerdicts,
  AccessWho,
  AccessWhoQuestion,
} from "@ostiary/contracts";
import {
  checkAccess,
  checkAccessMany,
  explainAccess,
  listAccess,
  listWhoMay,
  simulateAccess,
} from "../domain/access/index.ts";
import type { Deps } from "../domain/deps.ts";
import { problems } from "./problems.ts";

type App = Parameters<FastifyPluginAsyncTypebox>[0];

/** Bytes: a thousand questions with attributes. */
const MANY_BODY_LIMIT = 4 * 1024 * 1024;

const NEEDS =
  "Needs the permission `access:check`, in the whole tenant or for the namespace. About oneself everybody may ask, and " +
  "an application about everybody in its own namespace.";

/** "May he?" and the questions around it. They change nothing. */
export function accessRoutes(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    registerVerdicts(app, deps);
    registerOverviews(app, deps);
  };
}

function registerVerdicts(app: App, deps: Deps): void {
  app.post(
    "/access/check",
    {
      schema: {
        operationId: "checkAccess",
        summary: "May this subject do this to that?",
        description: `${NEEDS} What nothing allows is denied, and what anything denies too.`,
        tags: ["Access"],
        body: AccessQuestion,
        response: { 200: AccessVerdict, ...problems(413, 415) },
      },
    },
    (request, reply) => {
      const verdict = checkAccess(deps, request.context, request.body);
      // Answered in this tick when all is in memory: a promise costs a tenth of the request.
      if (verdict instanceof Promise) return verdict.then((allowed) => ({ allowed }));
      reply.send({ allowed: verdict });
      return reply as never;
    },
  );
  app.post(
    "/access/check-many",
    {
      bodyLimit: MANY_BODY_LIMIT,
      schema: {
        operationId: "checkAccessMany",
        summary: "Ask up to 1,000 such questions",
        description: `${NEEDS} The answers are in the order of the questions.`,
        tags: ["Access"],
        body: AccessQuestions,
        response: { 200: AccessVerdicts, ...problems(413, 415) },
      },
    },
    async (request) => {
      const results = await checkAccessMany(deps, request.context, request.body.questions);
      return { results: results.map((allowed) => ({ allowed })) };
    },
  );
  app.post(
    "/access/explain",
    {
      schema: {
        operationId: "explainAccess",
        summary: "Why may he, or why not?",
        description: `${NEEDS} The verdict with the ways that led to it, or with what would allow it.`,
        tags: ["Access"],
        body: AccessQuestion,
        response: { 200: AccessExplanation, ...problems(413, 415) },
      },
    },
    (request) => explainAccess(deps, request.context, request.body),
  );
  app.post(
    "/access/simulate",
    {
      bodyLimit: MANY_BODY_LIMIT,
      schema: {
        operationId: "simulateAccess",
        summary: "What would the verdicts be after these changes?",
        description: `${NEEDS} Nothing is changed.`,
        tags: ["Access"],
        body: AccessSimulation,
        response: { 200: AccessSimulated, ...problems(413, 415) },
      },
    },
    async (request) => ({ results: await simulateAccess(deps, request.context, request.body) }),
  );
}

function registerOverviews(app: App, deps: Deps): void {
  app.post(
    "/access/list",
    {
      schema: {
        operationId: "listAccess",
        summary: "What may this subject do here?",
        description: `${NEEDS} Without \`attributes\`, what depends on conditions is marked.`,
        tags: ["Access"],
        body: AccessListQuestion,
        response: { 200: AccessList, ...problems(413, 415) },
      },
    },
    (request) => listAccess(deps, request.context, request.body),
  );
  app.post(
    "/access/who",
    {
      schema: {
        operationId: "listWhoMay",
        summary: "Who may do this to that?",
        description:
          "Needs the permission `access:check`, in the whole tenant or for the namespace. In the order of ids; who " +
          "depends on conditions is marked.",
        tags: ["Access"],
        body: AccessWhoQuestion,
        response: { 200: AccessWho, ...problems(413, 415) },
      },
    },
    (request) => listWhoMay(deps, request.context, request.body),
  );
}
