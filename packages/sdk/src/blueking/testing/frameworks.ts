import "reflect-metadata";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import fastifyCookie from "@fastify/cookie";
import fastifySession from "@fastify/session";
import { Controller, Get, HttpException, Module, Req, UseGuards } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import express from "express";
import expressSession from "express-session";
import fastify from "fastify";
import { Hono } from "hono";
import Koa from "koa";
import koaSession from "koa-session";
import type { BkAuth, BkOutcome } from "../bk-auth.ts";
import { bkAuth as expressAuth, outcomeOf } from "../express.ts";
import { bkAuth as fastifyAuth } from "../fastify.ts";
import { withBkAuth } from "../fetch.ts";
import { type BkEnv, bkAuth as honoAuth } from "../hono.ts";
import type { AdapterOptions } from "../http.ts";
import { bkAuth as koaAuth } from "../koa.ts";
import { BkAuthGuard } from "../nest.ts";

/** A running application with two routes: `/open` for everybody and `/closed` for who is signed in. */
export interface RunningApplication {
  url: string;
  stop(): Promise<void>;
}

type Options = Pick<AdapterOptions<unknown>, "required" | "login">;
export type StartApplication = (auth: BkAuth, closed: Options) => Promise<RunningApplication>;

const SESSION_SECRET = "a-secret-of-a-test-that-is-long-enough";
const shown = (outcome: BkOutcome) => ({ outcome: outcome.outcome, user: outcome.user.username });

/** The frameworks, each with the session library that is usual for it, if there is one. */
export const FRAMEWORKS: { name: string; hasSession: boolean; start: StartApplication }[] = [
  {
    name: "Express",
    hasSession: true,
    async start(auth, closed) {
      const app = express();
      app.use(expressSession({ secret: SESSION_SECRET, resave: false, saveUninitialized: true }));
      app.get("/open", expressAuth(auth), (request, response) => {
        response.json(shown(outcomeOf(request)));
      });
      app.get("/closed", expressAuth(auth, closed), (request, response) => {
        response.json(shown(outcomeOf(request)));
      });
      return await listen(app);
    },
  },
  {
    name: "Koa",
    hasSession: true,
    async start(auth, closed) {
      const app = new Koa();
      const stored = new Map<string, unknown>();
      app.keys = [SESSION_SECRET];
      const store = {
        get: async (key: string) => stored.get(key),
        set: async (key: string, value: unknown) => void stored.set(key, structuredClone(value)),
        destroy: async (key: string) => void stored.delete(key),
      };
      app.use(koaSession({ store, key: "koa.sess" } as never, app) as unknown as Koa.Middleware);
      const open = koaAuth(auth);
      const guarded = koaAuth(auth, closed);
      app.use(async (context, next) => {
        await (context.path === "/closed" ? guarded : open)(context, next);
      });
      app.use((context) => {
        context.body = shown((context.state as { bk: BkOutcome }).bk);
      });
      return await listen(app.callback());
    },
  },
  {
    name: "Fastify",
    hasSession: true,
    async start(auth, closed) {
      const app = fastify();
      await app.register(fastifyCookie);
      await app.register(fastifySession, { secret: SESSION_SECRET, cookie: { secure: false } });
      app.get("/open", { preHandler: fastifyAuth(auth) }, async (request) => shown(outcomeOf(request)));
      app.get("/closed", { preHandler: fastifyAuth(auth, closed) }, async (request) =>
        shown(outcomeOf(request)),
      );
      const url = await app.listen({ port: 0, host: "127.0.0.1" });
      return { url, stop: () => app.close() };
    },
  },
  {
    name: "Hono",
    hasSession: false,
    start(auth, closed) {
      const app = new Hono<BkEnv>();
      app.get("/open", honoAuth(auth), (context) => context.json(shown(context.get("bk"))));
      app.get("/closed", honoAuth(auth, closed), (context) => context.json(shown(context.get("bk"))));
      return listen(toListener(async (request) => await app.fetch(request)));
    },
  },
  {
    name: "Nest",
    hasSession: true,
    async start(auth, closed) {
      const guardOf = (options: Options) =>
        new BkAuthGuard(auth, (body, status) => new HttpException(body, status), options);
      class Pages {
        open(request: object) {
          return shown(outcomeOf(request));
        }
        closed(request: object) {
          return shown(outcomeOf(request));
        }
      }
      decorate(Pages, "open", [Get("open"), UseGuards(guardOf({}))]);
      decorate(Pages, "closed", [Get("closed"), UseGuards(guardOf(closed))]);
      Controller()(Pages);
      class Root {}
      Module({ controllers: [Pages] })(Root);
      const app = await NestFactory.create(Root, { logger: false });
      app.use(expressSession({ secret: SESSION_SECRET, resave: false, saveUninitialized: true }));
      await app.listen(0, "127.0.0.1");
      return { url: (await app.getUrl()).replace("[::1]", "127.0.0.1"), stop: () => app.close() };
    },
  },
  {
    name: "a fetch handler",
    hasSession: false,
    start(auth, closed) {
      const page = (_: Request, outcome: BkOutcome) => Response.json(shown(outcome));
      const open = withBkAuth(auth, page);
      const guarded = withBkAuth(auth, page, closed);
      return listen(
        toListener((request) => (new URL(request.url).pathname === "/closed" ? guarded : open)(request)),
      );
    },
  },
];

/** What Nest's decorators do, without the syntax that only a compiler understands. */
function decorate(type: { prototype: object }, method: string, decorators: MethodDecorator[]): void {
  const descriptor = Object.getOwnPropertyDescriptor(type.prototype, method);
  if (descriptor === undefined) throw new TypeError(`no method ${method}`);
  Req()(type.prototype, method, 0);
  for (const one of decorators.reverse()) one(type.prototype, method, descriptor);
}

async function listen(listener: RequestListener): Promise<RunningApplication> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = () =>
    new Promise<void>((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop };
}

/** A fetch handler behind node:http. */
function toListener(handler: (request: Request) => Promise<Response>): RequestListener {
  return async (incoming, outgoing) => {
    const headers = Object.entries(incoming.headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)] as [string, string]],
    );
    const response = await handler(
      new Request(`http://${incoming.headers.host}${incoming.url}`, { headers }),
    );
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    outgoing.end(await response.text());
  };
}
