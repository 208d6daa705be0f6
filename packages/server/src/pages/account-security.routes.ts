import { type Factor, IdentityError, type KnownDevice, type LinkedIdentity } from "@ostiary/contracts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import {
  factorsOfUser,
  forgetDevice,
  forgetRemembered,
  listFactors,
  listKnownDevices,
} from "../domain/credentials/index.ts";
import type { Deps } from "../domain/deps.ts";
import { listIdentities, unlinkIdentity } from "../domain/sign-in/index.ts";
import { toIdentityError } from "../platform/http/problems.ts";
import { accountView, forSignedIn, linksOf } from "./account.ts";
import { factorChangeRoutes } from "./account-factor-changes.routes.ts";
import { addFactorRoutes } from "./account-factors.routes.ts";
import { linkRoutes } from "./account-link.routes.ts";
import { renderAccountSecurityPage } from "./account-security.page.ts";
import { noticeOf, problemsOf } from "./problems.ts";
import { forRecentlySignedIn } from "./recent.ts";
import { formOf, queryText, seeOther, sendPage } from "./respond.ts";
import type { AccountFactor, LinkedAccount, RememberedDevice } from "./security-views.ts";
import type { SignedIn } from "./session.ts";
import type { FormErrors } from "./views.ts";

/** How the account is protected. */
export function securityRoutes(app: FastifyInstance, deps: Deps): void {
  const path = "/account/security";
  app.get(
    path,
    forSignedIn(deps, path, (...call) => show(deps, ...call)),
  );
  app.post(
    path,
    forSignedIn(deps, path, (...call) => forget(deps, ...call)),
  );
  app.post(
    `${path}/unlink`,
    forRecentlySignedIn(deps, path, (...call) => unlink(deps, ...call)),
  );
  addFactorRoutes(app, deps);
  factorChangeRoutes(app, deps);
  linkRoutes(app, deps);
}

async function show(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  who: SignedIn,
  failure: { errors?: FormErrors<never>; status?: number } = {},
): Promise<FastifyReply> {
  const links = linksOf(request);
  const { userId } = who.session;
  const [view, factors, { recoveryCodes }, devices, identities] = await Promise.all([
    accountView(deps, request, reply, who, { path: links.security }),
    listFactors(deps, request.tenant.id, userId),
    factorsOfUser(deps, request.tenant.id, userId),
    listKnownDevices(deps, who.context, userId),
    listIdentities(deps, who.context, userId),
  ]);
  const page = renderAccountSecurityPage({
    ...view,
    action: links.security,
    csrf: who.csrf,
    links,
    passkeys: factors.filter(({ kind }) => kind === "passkey").map(toFactor),
    authenticators: factors.filter(({ kind }) => kind === "totp").map(toFactor),
    recoveryCodes,
    devices: devices.flatMap(toDevice),
    linked: identities.map(toLinked),
    now: deps.clock.now(),
    timeZone: who.principal.profile.zoneinfo ?? undefined,
    notice: noticeOf(queryText(request, "notice")),
    errors: failure.errors,
  });
  return sendPage(deps, reply, view.nonce, page, { status: failure.status ?? 200 });
}

function toFactor({ id, name, createdAt, lastUsedAt }: Factor): AccountFactor {
  return {
    id,
    name,
    createdAt: new Date(createdAt),
    ...(lastUsedAt === null ? {} : { lastUsedAt: new Date(lastUsedAt) }),
  };
}

function toLinked({ id, provider, realm, linkedAt }: LinkedIdentity): LinkedAccount {
  return { id, provider, name: realm || undefined, linkedAt: new Date(linkedAt) };
}

/** Only those that are remembered: the others change nothing for the person. */
function toDevice({ id, device, ip, lastSeenAt, rememberedUntil }: KnownDevice): RememberedDevice[] {
  if (rememberedUntil === null) return [];
  const until = new Date(rememberedUntil);
  return [{ id, name: device, ip: ip ?? undefined, lastSeenAt: new Date(lastSeenAt), until }];
}

/** Forgetting makes the account safer: no proof is asked for it. */
async function forget(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  { context, session }: SignedIn,
): Promise<FastifyReply> {
  const path = linksOf(request).security;
  const { forget: id } = formOf(request);
  if (id === undefined) return seeOther(reply, path);
  if (id === "all") await forgetRemembered(deps, context, session.userId);
  else {
    await forgetDevice(deps, context, session.userId, id).catch((error: unknown) => {
      // Gone already: the list shows what there is.
      if (!(error instanceof IdentityError && error.code === "device.not_found")) throw error;
    });
  }
  return seeOther(reply, path, { notice: "device-forgotten" });
}

async function unlink(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  who: SignedIn,
): Promise<FastifyReply> {
  try {
    await unlinkIdentity(deps, who.context, who.session.userId, formOf(request).identity ?? "");
  } catch (thrown) {
    const error = toIdentityError(thrown);
    const errors = problemsOf(error, []);
    if (errors) return show(deps, request, reply, who, { errors, status: error.status });
    if (error.code !== "identity.not_found") throw thrown;
  }
  return seeOther(reply, linksOf(request).security, { notice: "unlinked" });
}
