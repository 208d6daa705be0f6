export type { Logout } from "./announce-logouts.ts";
export { ACR_VALUES, type Acr, acrOf, isAtLeast } from "./authentication-context.ts";
export {
  createImpersonatedSession,
  createSession,
  deriveSession,
  type NewSession,
  renewSession,
  type SessionPolicy,
} from "./create-session.ts";
export { deviceName } from "./device-name.ts";
export { findSession, findSessionAnew, findSessionByCookie } from "./find-session.ts";
export { getSession, listSessions, listSessionsOfUser } from "./list-sessions.ts";
export { noteShortfall } from "./note-shortfall.ts";
export { checkRecentAuthentication } from "./recent-authentication.ts";
export {
  endSession,
  endSessionsOfApplication,
  endSessionsOfUser,
  revokeSession,
  revokeSessionsOfUser,
} from "./revoke-session.ts";
export { deleteExpiredSessions, type Session } from "./session.store.ts";
export { insertSessionApplication as letKnowSession } from "./session-application.store.ts";
export { isTooWeak, methodsOf, policyOf, type Shortfall, shortfallOf, strictest } from "./still-enough.ts";
export { finishLastSeen, nextTokenGeneration, touchSession } from "./touch-session.ts";
