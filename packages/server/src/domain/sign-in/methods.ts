import { IdentityError, type SignInMethod, type Tenant } from "@ostiary/contracts";
import type { Application } from "../applications/index.ts";

/** What a sign-in may begin with: what the tenant allows and the application does not forbid. */
export function methodsOf(
  { settings }: Pick<Tenant, "settings">,
  application: Pick<Application, "signInMethods"> | null,
): SignInMethod[] {
  return settings.signIn.methods.filter((method) => application?.signInMethods.includes(method) ?? true);
}

/** @throws IdentityError `sign_in.method_not_allowed` */
export function checkMethod(
  tenant: Pick<Tenant, "settings">,
  application: Pick<Application, "signInMethods"> | null,
  method: SignInMethod,
): void {
  if (!methodsOf(tenant, application).includes(method)) throw new IdentityError("sign_in.method_not_allowed");
}
