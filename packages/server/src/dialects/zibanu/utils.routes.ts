import type { FastifyPluginAsync } from "fastify";
import type { Deps } from "../../domain/deps.ts";
import { addService } from "./calls.ts";
import { DIAL_CODES } from "./dial-codes.ts";
import { sendText } from "./errors.ts";
import { LANGUAGES } from "./languages.ts";
import { TIME_ZONES } from "./time-zones.ts";

/** The lists of zibanu.django, which front ends mount beside the sixteen services. */
export function utilityRoutes(deps: Deps): FastifyPluginAsync {
  return async (app) => {
    addService(app, deps, "/utils/timezone/list/", "strict", ({ reply }) => sendText(reply, 200, ZONE_LIST));
    addService(app, deps, "/utils/language/list/", "strict", ({ reply }) =>
      sendText(reply, 200, LANGUAGE_LIST),
    );
    addService(app, deps, "/utils/dial_codes/list/", "strict", ({ reply }) =>
      sendText(reply, 200, DIAL_LIST),
    );
  };
}

const ZONE_LIST = JSON.stringify({ timezones: TIME_ZONES });
const LANGUAGE_LIST = JSON.stringify({ default: "en-us", languages: LANGUAGES });
const DIAL_LIST = JSON.stringify(DIAL_CODES);
