import { type Factor, IdentityError, type KnownDevice } from "@ostiary/contracts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import {
  factorsOfUser,
  forgetDevice,
  forgetRemembered,
  listFactors,
  listKnownDevices,
} from "../domain/credentials/index.ts";
import type { Deps } from "../domain/deps.ts";
import { accountView, forSignedIn, linksOf } from "./account.ts";
import { factorChangeRoutes } from "./account-factor-changes.routes.ts";
import { addFactorRoutes } from "./account-factors.routes.ts";
import { renderAccountSecurityPage } from "./account-security.page.ts";
import { noticeOf } from "./problems.ts";
import { formOf, queryText, seeOther, sendPage } from "./respond.ts";
import type { AccountFactor, RememberedDevice } from "./security-views.ts";
import type { SignedIn } from "./session.ts";

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
  addFactorRoutes(app, deps);
  factorChangeRoutes(app, deps);
}

async function show(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  who: SignedIn,
): Promise<FastifyReply> {
  const links = linksOf(request);
  const { userId } = who.session;
  const [view, factors, { recoveryCodes }, devices] = await Promise.all([
    accountView(deps, request, reply, who, { path: links.security }),
    listFactors(deps, request.tenant.id, userId),
    factorsOfUser(deps, request.tenant.id, userId),
    listKnownDevices(deps, who.context, userId),
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
    linked: [],
    now: deps.clock.now(),
    timeZone: who.principal.profile.zoneinfo ?? undefined,
    notice: noticeOf(queryText(request, "notice")),
  });
  return sendPage(deps, reply, view.nonce, page);
}

function toFactor({ id, name, createdAt, lastUsedAt }: Factor): AccountFactor {
  return {
    id,
    name,
    createdAt: new Date(createdAt),
    ...(lastUsedAt === null ? {} : { lastUsedAt: new Date(lastUsedAt) }),
  };
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
