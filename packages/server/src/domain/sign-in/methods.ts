import { IdentityError, type SignInMethod, type Tenant } from "@ostiary/contracts";
import type { Application } from "../applications/index.ts";
import { methodsOf } from "../sessions/index.ts";

/** @throws IdentityError `sign_in.method_not_allowed` */
export function checkMethod(
  tenant: Pick<Tenant, "settings">,
  application: Pick<Application, "signInMethods"> | null,
  method: SignInMethod,
): void {
  if (!methodsOf(tenant, application).includes(method)) throw new IdentityError("sign_in.method_not_allowed");
}
