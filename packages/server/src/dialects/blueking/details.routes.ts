import { IdentityError } from "@ostiary/contracts";
import type { FastifyPluginAsync, FastifyRequest } from "fastify";
import { findPrincipal, type Principal } from "../../domain/access/index.ts";
import { type Application, mayUse } from "../../domain/applications/index.ts";
import type { Deps } from "../../domain/deps.ts";
import { checkTicket } from "../../domain/tickets/index.ts";
import { findVisibleByUsername } from "../../domain/users/index.ts";
import { isId } from "../../kernel/identifiers.ts";
import { callerOf, credentialsOf, textOf } from "./callers.ts";
import { refusalsOf } from "./errors.ts";
import { IS_LOGIN, toUserDetails, toUsername } from "./translate.ts";
import { SLOT } from "./verify.routes.ts";

/** Characters of the longest username. */
const MAX_NAME = 128;

const PATH = "/api/c/compapi/v2/bk_login/get_user";

/** Call C: details of a user by name or ticket, for applications only. */
export function detailsRoutes(deps: Deps): FastifyPluginAsync {
  return async (app) => {
    const options = { errorHandler: refusalsOf(IS_LOGIN.v3) };
    const answer = async (request: FastifyRequest) => {
      const credentials = credentialsOf(request);
      const caller = await callerOf(deps, request, credentials);
      const name =
        textOf(request.query, "bk_username", "login_name") ||
        textOf(request.body, "bk_username", "login_name");
      const person =
        name === "" && credentials.bkToken !== ""
          ? (await checkTicket(deps, request.tenant.id, SLOT, credentials.bkToken, caller)).principal
          : await findPerson(deps, caller, name);
      if (!person) throw new IdentityError("user.not_found");
      return { result: true, code: 0, message: "", data: toUserDetails(person, request.tenant) };
    };
    for (const path of [PATH, `${PATH}/`]) {
      app.get(path, options, answer);
      app.post(path, options, answer);
    }
  };
}

/** The user whom BlueKing's applications know by this name, as far as the caller may see him. */
async function findPerson(deps: Deps, caller: Application, name: string): Promise<Principal | null> {
  if (name === "" || name.length > MAX_NAME) return null;
  if (isId(name)) {
    const principal = await findPrincipal(deps, caller.tenantId, name);
    const visible = principal?.status === "active" && toUsername(principal) === name;
    return visible && (await mayUse(deps, caller, name)) ? principal : null;
  }
  const found = (await findVisibleByUsername(deps, caller, [name])).get(name.toLowerCase());
  return found ?? null;
}
