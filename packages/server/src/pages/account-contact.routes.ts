import {
  IDENTIFIER_KINDS,
  type IdentifierChange,
  type IdentifierKind,
  StartIdentifierChange,
} from "@ostiary/contracts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Check } from "typebox/value";
import { addressesOfUser } from "../domain/credentials/index.ts";
import type { Deps } from "../domain/deps.ts";
import { listIdentifierChanges, startIdentifierChange } from "../domain/sign-in/index.ts";
import { toIdentityError } from "../platform/http/problems.ts";
import { accountView, forSignedIn, linksOf, loadUser } from "./account.ts";
import { renderAccountContactPage, renderChangeIdentifierPage } from "./account-contact.page.ts";
import { confirmChangeRoutes } from "./account-contact-codes.routes.ts";
import { usernameRoutes } from "./account-username.routes.ts";
import { noticeOf, problemsOf, requiredMessage } from "./problems.ts";
import { forRecentlySignedIn } from "./recent.ts";
import { formOf, queryText, seeOther, sendPage } from "./respond.ts";
import type { AccountContactView } from "./security-views.ts";
import type { SignedIn } from "./session.ts";
import type { FormErrors } from "./views.ts";

type Call = [request: FastifyRequest, reply: FastifyReply, who: SignedIn];
type Answer = Promise<FastifyReply>;

const CONTACT = "/account/contact";
const CHANGE = "/account/contact/change";

/** The person's own addresses: looked at, confirmed, changed. */
export function contactRoutes(app: FastifyInstance, deps: Deps): void {
  app.get(
    CONTACT,
    forSignedIn(deps, CONTACT, (...call) => showContact(deps, call)),
  );
  app.post(
    CONTACT,
    forRecentlySignedIn(deps, CONTACT, (...call) => verify(deps, call)),
  );
  app.get(
    CHANGE,
    forRecentlySignedIn(deps, CHANGE, (...call) => showChange(deps, call)),
  );
  app.post(
    CHANGE,
    forRecentlySignedIn(deps, CHANGE, (...call) => change(deps, call)),
  );
  confirmChangeRoutes(app, deps);
  usernameRoutes(app, deps);
}

interface Address {
  value: string | null;
  verified: boolean;
}

async function addressesOf(deps: Deps, who: SignedIn): Promise<Record<IdentifierKind, Address>> {
  const user = await loadUser(deps, who);
  const { backupEmail } = await addressesOfUser(deps, who.context.tenantId, user.id);
  return {
    email: { value: user.email, verified: user.emailVerified },
    phone: { value: user.phone, verified: user.phoneVerified },
    backup_email: { value: backupEmail, verified: true },
  };
}

async function showContact(deps: Deps, [request, reply, who]: Call): Answer {
  const links = linksOf(request);
  const view = await accountView(deps, request, reply, who, { path: links.contact });
  const [addresses, changes] = await Promise.all([
    addressesOf(deps, who),
    listIdentifierChanges(deps, who.context),
  ]);
  const pendingOf = (kind: IdentifierKind) => {
    const change = changes.find((one) => one.kind === kind);
    return (
      change && { value: change.value ?? undefined, url: `${links.contact}/confirm?change=${change.id}` }
    );
  };
  const entries: AccountContactView["entries"] = IDENTIFIER_KINDS.map((kind) => ({
    kind,
    pending: pendingOf(kind),
    value: addresses[kind].value ?? undefined,
    verified: addresses[kind].verified,
    changeUrl: `${links.contact}/change?kind=${kind}`,
  }));
  const page = renderAccountContactPage({
    ...view,
    action: links.contact,
    csrf: who.csrf,
    links,
    entries: [...entries, ...usernameEntry(request, who)],
    notice: noticeOf(queryText(request, "notice")),
  });
  return sendPage(deps, reply, view.nonce, page);
}

/** A name that is not there and may not be chosen is not shown. */
function usernameEntry(request: FastifyRequest, { principal }: SignedIn): AccountContactView["entries"] {
  const value = principal.username ?? undefined;
  if (request.tenant.settings.signIn.changeUsername) {
    return [{ kind: "username", value, changeUrl: `${linksOf(request).contact}/username` }];
  }
  return value === undefined ? [] : [{ kind: "username", value }];
}

/** Confirms an address that is there already. */
async function verify(deps: Deps, call: Call): Answer {
  const [request, reply, who] = call;
  const kind = kindOf(formOf(request).verify);
  const value = kind && (await addressesOf(deps, who))[kind].value;
  if (!kind || !value) return seeOther(reply, linksOf(request).contact);
  return begin(deps, call, { kind, value } as StartIdentifierChange);
}

async function showChange(
  deps: Deps,
  [request, reply, who]: Call,
  failure: { errors?: FormErrors<string>; status?: number } = {},
): Answer {
  const links = linksOf(request);
  const kind = kindOf(formOf(request).kind ?? queryText(request, "kind"));
  if (!kind) return seeOther(reply, links.contact);
  const path = `${links.contact}/change`;
  const view = await accountView(deps, request, reply, who, { path, query: { kind } });
  const addresses = await addressesOf(deps, who);
  const current = addresses[kind].value ?? undefined;
  const page = renderChangeIdentifierPage({
    ...view,
    action: path,
    csrf: who.csrf,
    links,
    kind,
    current,
    value: formOf(request).value,
    removable: current !== undefined,
    errors: failure.errors,
  });
  return sendPage(deps, reply, view.nonce, page, { status: failure.status ?? 200 });
}

async function change(deps: Deps, call: Call): Answer {
  const [request, reply] = call;
  const { kind: name, value: typed = "", remove } = formOf(request);
  const kind = kindOf(name);
  if (!kind) return seeOther(reply, linksOf(request).contact);
  // People put marks between digits.
  const written = kind === "phone" ? typed.replace(/[\s().-]/g, "") : typed.trim();
  const wanted = { kind, value: remove === undefined ? written : null };
  if (wanted.value === "") {
    const errors = { value: requiredMessage(LABELS[kind]) };
    return showChange(deps, call, { errors, status: 400 });
  }
  if (!Check(StartIdentifierChange, wanted)) {
    const errors = { value: kind === "phone" ? "problem.phoneInvalid" : "problem.emailInvalid" } as const;
    return showChange(deps, call, { errors, status: 400 });
  }
  return begin(deps, call, wanted);
}

const LABELS = {
  email: "field.newEmail",
  phone: "field.newPhone",
  backup_email: "field.newBackupEmail",
} as const;

/** Begins a change; where it needs a code, that is asked for next. */
async function begin(deps: Deps, call: Call, wanted: StartIdentifierChange): Answer {
  const [request, reply, { context }] = call;
  try {
    const begun = await startIdentifierChange(deps, context, request.tenant, wanted);
    return goOnWith(request, reply, begun);
  } catch (thrown) {
    const error = toIdentityError(thrown);
    const errors = problemsOf(error, []);
    if (!errors) throw thrown;
    return showChange(deps, call, { errors, status: error.status });
  }
}

/** To the page of the code that the change waits for, or back when it is made. */
function goOnWith(request: FastifyRequest, reply: FastifyReply, change: IdentifierChange): FastifyReply {
  const { contact } = linksOf(request);
  if (change.state === "applied") return seeOther(reply, contact, { notice: "contact-changed" });
  return seeOther(reply, `${contact}/confirm`, { change: change.id });
}

function kindOf(text: string | undefined): IdentifierKind | undefined {
  return IDENTIFIER_KINDS.find((kind) => kind === text);
}
