import type { CreateApplication, Tenant } from "@ostiary/contracts";
import { aDatabase } from "../../../testing/a-database.ts";
import { type FrozenClock, frozenClock } from "../../../testing/frozen-clock.ts";
import { contextOf, testDeps } from "../../../testing/test-deps.ts";
import { type Application, createApplication, findApplication } from "../../applications/index.ts";
import type { Deps } from "../../deps.ts";
import { createSession, type Session } from "../../sessions/index.ts";
import { createTenant, ensureDefaultTenant } from "../../tenants/index.ts";
import { createUser } from "../../users/index.ts";
import { type Authorization, createAuthorizationCode } from "../authorization-code.ts";
import { issueAccessToken } from "../issue-access-token.ts";

const REDIRECT_URI = "https://shop.example/callback";

/** Two tenants on a database of their own; in the first an application, a user and her session. */
export async function aWorld() {
  const database = await aDatabase();
  const clock: FrozenClock = frozenClock();
  const deps: Deps = testDeps(database.database, { clock });
  const tenant = await ensureDefaultTenant(deps);
  const other = await createTenant(deps, contextOf(tenant.id), { slug: "other", name: "Other" });
  const application = await anApplication(deps, tenant, "shop");
  const context = contextOf(tenant.id);
  const user = await createUser(deps, context, {
    username: "ann",
    email: "ann@example.com",
    emailVerified: true,
  });
  const { session } = await createSession(deps, context, { userId: user.id, amr: ["pwd"] });
  return {
    deps,
    clock,
    tenant,
    other,
    application,
    context,
    user,
    session,
    code: (overrides: Partial<Authorization> = {}) =>
      createAuthorizationCode(deps, context, tenant, {
        ...anAuthorization(application, session),
        ...overrides,
      }),
    accessToken: async (familyId = "0".repeat(24)) =>
      issueAccessToken(deps, {
        tenant,
        application,
        familyId,
        subject: user.id,
        scopes: ["openid", "roles"],
        sessionId: session.id,
        authenticatedAt: session.authenticatedAt,
        amr: session.amr,
        roles: [],
      }),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

export async function anApplication(
  deps: Deps,
  tenant: Tenant,
  slug: string,
  overrides: Partial<CreateApplication> = {},
): Promise<Application> {
  const { application } = await createApplication(deps, contextOf(tenant.id), {
    slug,
    name: slug,
    redirectUris: [REDIRECT_URI],
    ...overrides,
  });
  const found = await findApplication(deps, tenant.id, application.id);
  if (!found) throw new Error("the application that was just made is missing");
  return found;
}

function anAuthorization(application: Application, session: Session): Authorization {
  return {
    application,
    userId: session.userId,
    session,
    offline: false,
    scopes: ["openid", "email"],
    details: { amr: [...session.amr], nonce: "n" },
    redirectUri: REDIRECT_URI,
    codeChallenge: null,
  };
}
