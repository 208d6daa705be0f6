import { createHash } from "node:crypto";
import { IdentityError } from "@ostiary/contracts";
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import { checkPasswordLink } from "../../domain/credentials/index.ts";
import type { Deps } from "../../domain/deps.ts";
import { redeemMailedLink } from "../../domain/levels/index.ts";
import { isFields, readBody } from "./body.ts";
import { faultText, isOneOf } from "./errors.ts";
import { languageOf } from "./messages.ts";
import { type PasswordPage, passwordPage } from "./password.page.ts";

/** Where the links of our mails lead: theirs have the password itself in the mail. */
export function passwordRoutes(deps: Deps): FastifyPluginAsync {
  return async (app) => {
    app.get<{ Querystring: { token?: unknown } }>("/password/", async (request, reply) => {
      const token = textOf(request.query.token);
      const open = await isOpen(() => checkPasswordLink(deps, request.tenant.id, token));
      return show(request, reply, open ? { state: "form", token } : { state: "gone" });
    });

    app.post("/password/", { bodyLimit: 16_384 }, async (request, reply) => {
      const { value } = await readBody(request);
      const fields = isFields(value) ? value : {};
      const token = textOf(fields["token"]);
      try {
        await redeemMailedLink(deps, request.context, request.tenant, token, textOf(fields["password"]));
      } catch (error) {
        if (isOneOf(error, "password_link.invalid", "user.not_found", "user.suspended")) {
          return show(request, reply, { state: "gone" });
        }
        const isTold = error instanceof IdentityError && /^password\.|second_factor/.test(error.code);
        if (!isTold) throw error;
        return show(request, reply, { state: "form", token, fault: faultText(error, request) });
      }
      return show(request, reply, { state: "done" });
    });
  };
}

const textOf = (given: unknown) => (typeof given === "string" ? given.slice(0, 1_024) : "");

async function isOpen(check: () => Promise<void>): Promise<boolean> {
  try {
    await check();
    return true;
  } catch (error) {
    if (isOneOf(error, "password_link.invalid")) return false;
    throw error;
  }
}

const STATUSES = { form: 200, done: 200, gone: 410 } as const;

function show(request: FastifyRequest, reply: FastifyReply, page: PasswordPage): FastifyReply {
  const { language } = request.tenant.settings.zibanu;
  const html = passwordPage(languageOf(language, request.headers["accept-language"]), page);
  const style = /<style>(.*)<\/style>/.exec(html)?.[1] ?? "";
  const hash = createHash("sha256").update(style).digest("base64");
  return reply
    .code(page.state === "form" && page.fault !== undefined ? 422 : STATUSES[page.state])
    .headers({
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": `default-src 'none'; style-src 'sha256-${hash}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
    })
    .send(html);
}
