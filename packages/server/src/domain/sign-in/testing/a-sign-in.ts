import type { Tenant, TenantSettingsPatch } from "@ostiary/contracts";
import { generateSync } from "otplib";
import { numericDate } from "../../../kernel/clock.ts";
import { NO_PERMISSIONS, type RequestContext } from "../../../kernel/context.ts";
import { newSecret } from "../../../kernel/identifiers.ts";
import { aMailbox, type Mailbox } from "../../../testing/mailbox.ts";
import { SoftwareAuthenticator } from "../../../testing/software-authenticator.ts";
import { type TwoTenants, twoTenants } from "../../../testing/two-tenants.ts";
import {
  beginPasskey,
  beginTotp,
  confirmTotp,
  finishPasskey,
  makeRecoveryCodes,
} from "../../credentials/index.ts";
import type { Deps } from "../../deps.ts";
import type { Acr } from "../../sessions/index.ts";
import { findTenantById, replaceSettings } from "../../tenants/index.ts";
import { createUser } from "../../users/index.ts";
import type { PasswordStep } from "../give-password.ts";
import { type Flow, givePassword, startFlow } from "../index.ts";

export const PASSWORD = "correct horse battery staple";

export interface SignIns extends AsyncDisposable {
  world: TwoTenants;
  deps: Deps;
  visitor: RequestContext;
  mailbox: Mailbox;
  tenant(): Promise<Tenant>;
  /** Replaces the settings of the sign-in; the rest is the default. */
  policy(signIn: NonNullable<TenantSettingsPatch["signIn"]>, more?: TenantSettingsPatch): Promise<void>;
  /** With a verified address `<name>@example.com` and the password. */
  aPerson(input?: Parameters<typeof createUser>[2]): Promise<{ id: string; name: string; email: string }>;
  withTotp(userId: string): Promise<string>;
  withPasskey(userId: string): Promise<SoftwareAuthenticator>;
  withRecoveryCodes(userId: string): Promise<string[]>;
  /** What an authenticator app shows; each call half a minute later, as no code is taken twice. */
  shown(secret: string): string;
  begin(options?: { applicationId?: string; acr?: Acr; browser?: string }): Promise<Flow>;
  /** A new flow with the right password given. */
  withPassword(name: string, input?: Partial<PasswordStep>, flow?: Flow): ReturnType<typeof givePassword>;
}

export async function signIns(): Promise<SignIns> {
  const world = await twoTenants();
  const mailbox = aMailbox();
  const { context, clock } = world;
  const deps: Deps = { ...world.deps, sender: mailbox.sender };
  const visitor: RequestContext = {
    ...context,
    actor: { type: "anonymous", id: null },
    permissions: NO_PERMISSIONS,
  };
  let people = 0;
  const tenant = async () => {
    const found = await findTenantById(deps, context.tenantId);
    if (!found) throw new Error("no tenant");
    return found;
  };
  const begin: SignIns["begin"] = ({ browser = newSecret(), ...options } = {}) =>
    startFlow(deps, visitor, { browser, ...options, continuation: { protocol: "test" } });
  const shown = (secret: string) => {
    clock.advance(30);
    return generateSync({ secret, epoch: numericDate(clock.now()) });
  };
  return {
    world,
    deps,
    visitor,
    mailbox,
    tenant,
    begin,
    shown,
    async policy(signIn, more = {}) {
      await replaceSettings(deps, context, { signIn, ...more });
    },
    async aPerson(input = {}) {
      const name = `person-${++people}`;
      const email = `${name}@example.com`;
      const person = { username: name, email, emailVerified: true, password: { plain: PASSWORD }, ...input };
      const { id } = await createUser(deps, context, person);
      return { id, name, email };
    },
    async withTotp(userId) {
      const { id, secret } = await beginTotp(deps, context, await tenant(), userId);
      const code = shown(secret);
      const here = await tenant();
      await deps.database.transaction((tx) => confirmTotp(deps, tx, context, here, userId, { id, code }));
      return secret;
    },
    async withPasskey(userId) {
      const here = await tenant();
      const device = new SoftwareAuthenticator(deps.publicUrl);
      const response = device.create(await beginPasskey(deps, context, here, userId, { subject: "test" }));
      const made = { subject: "test", response };
      await deps.database.transaction((tx) => finishPasskey(deps, tx, context, here, userId, made));
      return device;
    },
    withRecoveryCodes: (userId) => makeRecoveryCodes(deps, context, userId),
    async withPassword(name, input = {}, flow) {
      const step = { identifier: name, password: PASSWORD, ...input };
      return givePassword(deps, visitor, await tenant(), flow ?? (await begin()), step);
    },
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}
