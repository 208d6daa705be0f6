import type { FastifyPluginAsync } from "fastify";
import type { Deps } from "../../domain/deps.ts";
import { addService, answer } from "./calls.ts";
import { DIAL_CODES } from "./dial-codes.ts";
import { LANGUAGES } from "./languages.ts";
import { TIME_ZONES } from "./time-zones.ts";

/** The lists of zibanu.django, which front ends mount beside the sixteen services. */
export function utilityRoutes(deps: Deps): FastifyPluginAsync {
  return async (app) => {
    addService(app, deps, "/utils/timezone/list/", "strict", ({ reply }) =>
      answer(reply, { timezones: TIME_ZONES }),
    );
    addService(app, deps, "/utils/language/list/", "strict", ({ reply }) =>
      answer(reply, { default: "en-us", languages: LANGUAGES }),
    );
    addService(app, deps, "/utils/dial_codes/list/", "strict", ({ reply }) => answer(reply, DIAL_CODES));
  };
}
