import { button, type Fields, fieldsOf, form, hasErrors, messages } from "./form.ts";
import { html, linkUrl, raw, type SafeHtml } from "./html.ts";
import { type MessageKey, textsFor } from "./i18n.ts";
import { nameOf, renderDocument } from "./layout.ts";
import { passkeyForm } from "./passkey-form.ts";
import type { SignedInView, SignInView } from "./views.ts";

/** Longest identifier: an e-mail address of 254 octets (RFC 5321 §4.5.3.1.3), with some room. */
const MAX_IDENTIFIER = 320;

function identifierLabel(identifiers: SignInView["identifiers"]): MessageKey {
  const has = (name: SignInView["identifiers"][number]): boolean => identifiers.includes(name);
  if (has("username") && has("email") && has("phone")) return "field.usernameEmailOrPhone";
  if (has("username") && has("email")) return "field.usernameOrEmail";
  if (has("username") && has("phone")) return "field.usernameOrPhone";
  if (has("email") && has("phone")) return "field.emailOrPhone";
  if (has("email")) return "field.email";
  return has("phone") ? "field.phone" : "field.username";
}

const FORM = "sign-in";

const CODES = {
  email_code: { step: "send-code", channel: "email", label: "signIn.emailCode" },
  sms_code: { step: "send-code", channel: "sms", label: "signIn.smsCode" },
  magic_link: { step: "send-link", channel: "email", label: "signIn.magicLink" },
} as const;

function asksPassword({ step, methods }: SignInView): boolean {
  return step !== "identifier" && methods.includes("password");
}

/** What else one may begin with: buttons of the form above, because the identifier is needed for all of them. */
function codeButtons(view: SignInView): SafeHtml {
  if (view.step === "identifier") return raw("");
  const texts = textsFor(view.language);
  const codes = view.methods.filter((method) => method !== "password");
  const unlock =
    view.unlockable &&
    button(texts, "signIn.unlock", {
      form: FORM,
      name: "step",
      value: "start-unlock",
      quiet: true,
      novalidate: true,
      busy: "code.sending",
    });
  const aside = asksPassword(view);
  const buttons = codes.map((method, index) => {
    const { step, channel, label } = CODES[method];
    return button(texts, label, {
      form: FORM,
      name: "step",
      value: `${step} ${channel}`,
      quiet: aside || index > 0,
      novalidate: aside,
      busy: "code.sending",
    });
  });
  return html`${(unlock || buttons.length > 0) && html`<div class="actions">${unlock}${buttons}</div>`}`;
}

function passwordField(view: SignInView, field: Fields["field"]): SafeHtml {
  const texts = textsFor(view.language);
  const recover = linkUrl(view.recoverUrl);
  return html`${field({
    name: "password",
    label: "field.password",
    type: "password",
    autocomplete: "current-password",
    enterkeyhint: "go",
    required: true,
  })}${recover && html`<p class="aside"><a href="${recover}">${texts.t("signIn.forgot")}</a></p>`}`;
}

function signInForm(view: SignInView): SafeHtml {
  const texts = textsFor(view.language);
  const { field } = fieldsOf(view);
  const { step } = view;
  const fixed = step === "password";
  const other = fixed ? linkUrl(view.otherIdentifierUrl) : null;
  const withPassword = asksPassword(view);
  const identifier = field({
    name: "identifier",
    label: identifierLabel(view.identifiers),
    value: view.values.identifier,
    // In the browser's list of names stand the passkeys too.
    autocomplete: view.passkey ? "username webauthn" : "username",
    enterkeyhint: withPassword ? "next" : "go",
    maxlength: MAX_IDENTIFIER,
    verbatim: true,
    required: true,
    // Kept in the form as a field, so that a password manager finds the pair.
    readonly: fixed,
  });
  const submit = withPassword
    ? button(texts, "signIn.submit", { busy: "signIn.busy" })
    : step === "identifier" && button(texts, "signIn.next");
  return form(
    view,
    html`${identifier}${other && html`<p class="aside"><a href="${other}">${texts.t("signIn.otherIdentifier")}</a></p>`}
${withPassword && passwordField(view, field)}
${submit}`,
    {},
    FORM,
  );
}

function passkeyButton(view: SignInView): SafeHtml {
  if (!view.passkey) return raw("");
  return passkeyForm(view, {
    ceremony: "get",
    options: view.passkey,
    label: "signIn.passkey",
    aside: true,
    conditional: true,
    keep: { step: "use-passkey" },
  });
}

/** Sign-in: identifier and password together, or one after the other. */
export function renderSignInPage(view: SignInView): string {
  const texts = textsFor(view.language);
  const { application } = view;
  const signUp = linkUrl(view.signUpUrl);
  const title = texts.t(view.again ? "signIn.again" : "signIn.title");
  const lead = application
    ? texts.rich("signIn.toApplication", { application: nameOf(application.name) })
    : texts.t(view.again ? "signIn.againLead" : "signIn.toAccount");
  return renderDocument(view, {
    title,
    hasErrors: hasErrors(view.errors),
    body: html`<h1>${title}</h1>
<p class="lead">${lead}</p>
${messages(view)}
${signInForm(view)}
${asksPassword(view) ? [passkeyButton(view), codeButtons(view)] : [codeButtons(view), passkeyButton(view)]}
${signUp && html`<p class="below">${texts.t("signIn.noAccount")} <a href="${signUp}">${texts.t("signIn.signUp")}</a></p>`}`,
  });
}

/** Somebody is signed in already: go on as that person, or sign in as another. Posts `decision` = `continue` | `switch`. */
export function renderSignedInPage(view: SignedInView): string {
  const texts = textsFor(view.language);
  const { application } = view;
  const title = texts.t("signedIn.title");
  return renderDocument(view, {
    title,
    hasErrors: hasErrors(view.errors),
    body: html`<h1>${title}</h1>
<p class="lead">${texts.rich("signedIn.as", { user: nameOf(view.userName) })}</p>
${
  application &&
  html`<p class="lead">${texts.rich("signedIn.toApplication", { application: nameOf(application.name) })}</p>`
}
${messages(view)}
${form(
  view,
  html`${button(texts, "signedIn.continue", { name: "decision", value: "continue" })}
${button(texts, "signedIn.switch", { name: "decision", value: "switch", quiet: true })}`,
)}`,
  });
}
