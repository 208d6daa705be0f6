import { type CreateUser, IdentityError, type User } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { newId } from "../../kernel/identifiers.ts";
import { assignRoles, checkPermission } from "../access/index.ts";
import { recordEvent } from "../audit/index.ts";
import { setPassword } from "../credentials/index.ts";
import { type Deps, within } from "../deps.ts";
import { selectAllCustomFields } from "./custom-field.store.ts";
import { checkCustomValues } from "./custom-values.ts";
import { insertUser, selectUser } from "./user.store.ts";
import { applyChanges, NO_FIELDS, refuseTaken } from "./user-fields.ts";

/** `id` and `serial` only from the configuration file. */
export interface NewUser extends CreateUser {
  id?: string | undefined;
  serial?: number | undefined;
}

/**
 * Makes a user, with password and roles where they are given: all or nothing.
 *
 * @throws IdentityError `permission.denied`, `permission.escalation`, `user.identifier_required`, `user.*_taken`,
 *   `object.id_taken`, `custom_field.invalid_value`, `role.not_found`, `password.*`, `credential.unsupported_hash`
 */
export async function createUser(deps: Deps, context: RequestContext, input: NewUser): Promise<User> {
  checkPermission(context, "user:write");
  const { tenantId } = context;
  const now = deps.clock.now();
  const user = {
    ...applyChanges(NO_FIELDS, input),
    id: input.id ?? newId(now),
    serial: input.serial,
    registerSource: input.registerSource ?? "api",
  };
  return deps.database.transaction(async (tx) => {
    const joined = within(deps, tx);
    // Who signs up himself is not asked for the fields that administrators fill in.
    const requireAll = context.actor.type !== "anonymous";
    checkCustomValues(await selectAllCustomFields(tx, tenantId), user.custom, input.custom ?? {}, requireAll);
    refuseTaken(await insertUser(tx, tenantId, user, now));
    await recordEvent(
      deps,
      tx,
      context,
      {
        type: "user.created",
        target: { type: "user", id: user.id },
        data: { username: user.username, registerSource: user.registerSource },
      },
      // A given id may have been looked for before; a new one cannot.
      input.id === undefined ? [] : [`user:${user.id}`],
    );
    if (input.password) {
      await setPassword(joined, context, user.id, input.password, {
        mustChange: input.mustChangePassword ?? false,
      });
    }
    if (input.roles?.length) await assignRoles(joined, context, user.id, input.roles);
    const created = await selectUser(tx, tenantId, user.id);
    if (!created) throw new IdentityError("user.not_found");
    return created;
  });
}
