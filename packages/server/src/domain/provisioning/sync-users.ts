import { type CreateUser, IdentityError, type SyncResult, type SyncUser } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { checkPermission } from "../access/index.ts";
import { assignUser, findApplication, mayUse } from "../applications/index.ts";
import { type Deps, within } from "../deps.ts";
import { createUser, findUserByUsername } from "../users/index.ts";
import { asProvisioner } from "./as-provisioner.ts";

export interface Synced {
  userId: string;
  serial: number;
  /** False: there was one with this username, who stays as he is. */
  created: boolean;
}

/** Users that are brought in at a time: hashing is what takes long, and has cores of its own. */
const AT_A_TIME = 4;
/** Seconds between attempts while the password hasher is full; a batch must not fail for it. */
const BUSY_SECONDS = 0.2;
const BUSY_ATTEMPTS = 50;

/**
 * Brings in a user of another system, when there is none with this username. Who exists is not changed: his profile
 * and password are this server's now. A user whom an application brings in may use it.
 *
 * A password that the tenant's policy refuses is taken all the same, as its owner has no other, and must be changed
 * at the next sign-in.
 *
 * Needs `user:write`; an application may bring in users by its own right, but give them no roles that it has not.
 *
 * @throws IdentityError `permission.denied`, `permission.escalation`, `request.invalid` without username,
 *   and what `createUser` throws
 */
export async function syncUser(deps: Deps, context: RequestContext, input: SyncUser): Promise<Synced> {
  const provisioner = asProvisioner(context);
  checkPermission(provisioner, "user:write");
  const { username } = input;
  if (!username) {
    throw new IdentityError("request.invalid", { fields: [{ path: "/username", message: "is required" }] });
  }
  const present = () => findUserByUsername(deps, provisioner.tenantId, username);
  const found = await present();
  if (found) return { userId: found.id, serial: found.serial, created: false };
  try {
    return await bringIn(deps, provisioner, input);
  } catch (error) {
    if (!(error instanceof IdentityError) || error.code !== "user.username_taken") throw error;
    const other = await present(); // another one was quicker
    if (!other) throw error;
    return { userId: other.id, serial: other.serial, created: false };
  }
}

async function bringIn(deps: Deps, context: RequestContext, input: SyncUser): Promise<Synced> {
  try {
    return await make(deps, context, { ...input, registerSource: "sync" });
  } catch (error) {
    const { password } = input;
    const isPolicy = error instanceof IdentityError && error.code.startsWith("password.");
    if (!isPolicy || !password || !("plain" in password)) throw error;
    const hash = await deps.hasher.hash(password.plain);
    return make(deps, context, {
      ...input,
      registerSource: "sync",
      password: { hash },
      mustChangePassword: true,
    });
  }
}

function make(deps: Deps, context: RequestContext, input: CreateUser): Promise<Synced> {
  return deps.database.transaction(async (tx) => {
    const joined = within(deps, tx);
    const { id, serial } = await createUser(joined, context, input);
    await letIn(joined, context, id);
    return { userId: id, serial, created: true };
  });
}

/** The application at work gets a user of its own. */
export async function letIn(deps: Deps, context: RequestContext, userId: string): Promise<void> {
  const { type, id } = context.actor;
  if (type !== "application" || id === null) return;
  const application = await findApplication(deps, context.tenantId, id);
  if (!application || (await mayUse(deps, application, userId))) return;
  await assignUser(deps, { ...context, permissions: new Set(["*"]) }, id, userId);
}

/**
 * Brings in many, each for himself: one that is refused does not stop the others. Results count and name them.
 *
 * @param inputs - unchecked ones may be given as the refusal they are.
 * @throws IdentityError `permission.denied`
 */
export async function syncUsers(
  deps: Deps,
  context: RequestContext,
  inputs: readonly (SyncUser | IdentityError)[],
): Promise<SyncResult> {
  checkPermission(asProvisioner(context), "user:write");
  const result: SyncResult = { total: inputs.length, created: 0, skipped: 0, failed: 0, errors: [] };
  const queue = inputs.entries();
  const worker = async () => {
    for (const [index, input] of queue) {
      try {
        if (input instanceof IdentityError) throw input;
        const { created } = await patiently(() => syncUser(deps, context, input));
        result[created ? "created" : "skipped"]++;
      } catch (error) {
        if (!(error instanceof IdentityError) || error.code === "server.unavailable") throw error;
        result.failed++;
        const username = input instanceof IdentityError ? null : input.username;
        const words = [
          error.message,
          ...(error.fields ?? []).map(({ path, message }) => `${path} ${message}`),
        ];
        result.errors.push({
          index,
          ...(username ? { username } : {}),
          code: error.code,
          message: words.join(" "),
        });
      }
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  result.errors.sort((one, other) => one.index - other.index);
  return result;
}

async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const isBusy = error instanceof IdentityError && error.code === "credential.busy";
      if (!isBusy || attempt === BUSY_ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, BUSY_SECONDS * 1_000));
    }
  }
}
