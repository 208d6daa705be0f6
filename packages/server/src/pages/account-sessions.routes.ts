import { IdentityError, type Session } from "@ostiary/contracts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Deps } from "../domain/deps.ts";
import { endSession, endSessionsOfUser, listSessionsOfUser } from "../domain/sessions/index.ts";
import { updateMe } from "../domain/users/index.ts";
import { accountView, forSignedIn, linksOf, loadUser } from "./account.ts";
import { renderAccountSessionsPage } from "./account-sessions.page.ts";
import { noticeOf } from "./problems.ts";
import { formOf, queryText, seeOther, sendPage } from "./respond.ts";
import type { SignedIn } from "./session.ts";
import type { AccountSession } from "./views.ts";

/** As many as a person can look through; older ones end with "everywhere else". */
const SHOWN = 100;

export function sessionRoutes(app: FastifyInstance, deps: Deps): void {
  const path = "/account/sessions";
  app.get(
    path,
    forSignedIn(deps, path, (...call) => show(deps, ...call)),
  );
  app.post(
    path,
    forSignedIn(deps, path, (...call) => end(deps, ...call)),
  );
}

async function show(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  who: SignedIn,
): Promise<FastifyReply> {
  const links = linksOf(request);
  const view = await accountView(deps, request, reply, who, { path: links.sessions });
  const [user, { items }] = await Promise.all([
    loadUser(deps, who),
    listSessionsOfUser(deps, who.context, who.session.userId, { limit: SHOWN }),
  ]);
  const sessions = items.map((session) => toView(session, who.session.id));
  const page = renderAccountSessionsPage({
    ...view,
    action: links.sessions,
    csrf: who.csrf,
    links,
    sessions: sessions.sort(
      (one, other) =>
        Number(other.current) - Number(one.current) || other.lastSeenAt.getTime() - one.lastSeenAt.getTime(),
    ),
    keepsLoggedIn: user.preferences.keepLoggedIn ?? false,
    now: deps.clock.now(),
    timeZone: who.principal.profile.zoneinfo ?? undefined,
    notice: noticeOf(queryText(request, "notice")),
  });
  return sendPage(deps, reply, view.nonce, page);
}

function toView(session: Session, currentId: string): AccountSession {
  return {
    id: session.id,
    device: session.device || undefined,
    ip: session.ip ?? undefined,
    signedInAt: new Date(session.createdAt),
    lastSeenAt: new Date(session.lastSeenAt),
    current: session.id === currentId,
  };
}

async function end(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  who: SignedIn,
): Promise<FastifyReply> {
  const path = linksOf(request).sessions;
  const { session: id, others, keep } = formOf(request);
  if (keep !== undefined) {
    await updateMe(deps, who.context, { preferences: { keepLoggedIn: keep === "1" } });
    return seeOther(reply, path, { notice: "keeping-changed" });
  }
  if (others !== undefined) {
    await endSessionsOfUser(deps, who.context, who.session.userId, { exceptSessionId: who.session.id });
    return seeOther(reply, path, { notice: "sessions-ended" });
  }
  if (id === undefined) return seeOther(reply, path);
  const ended = await endSession(deps, who.context, id).then(() => true, isNone);
  return seeOther(reply, path, ended ? { notice: "session-ended" } : {});
}

/** It has ended before, or is nobody's or somebody else's: in any case the list shows what there is. */
function isNone(error: unknown): false {
  if (error instanceof IdentityError && ["session.not_found", "permission.denied"].includes(error.code)) {
    return false;
  }
  throw error;
}
