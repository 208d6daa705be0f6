import { button, fieldsOf, form, hasErrors, messages } from "./form.ts";
import { html, linkUrl, type SafeHtml } from "./html.ts";
import { type MessageKey, textsFor } from "./i18n.ts";
import { nameOf, renderDocument } from "./layout.ts";
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

function signInForm(view: SignInView): SafeHtml {
  const texts = textsFor(view.language);
  const { field } = fieldsOf(view);
  const fixed = view.step === "password";
  const other = fixed ? linkUrl(view.otherIdentifierUrl) : null;
  const identifier = field({
    name: "identifier",
    label: identifierLabel(view.identifiers),
    value: view.values.identifier,
    autocomplete: "username",
    enterkeyhint: view.step === "identifier" ? "go" : "next",
    maxlength: MAX_IDENTIFIER,
    verbatim: true,
    required: true,
    // Kept in the form as a field, so that a password manager finds the pair.
    readonly: fixed,
  });
  const password = (): SafeHtml =>
    field({
      name: "password",
      label: "field.password",
      type: "password",
      autocomplete: "current-password",
      enterkeyhint: "go",
      required: true,
    });
  return form(
    view,
    html`${identifier}${other && html`<p class="aside"><a href="${other}">${texts.t("signIn.otherIdentifier")}</a></p>`}
${view.step !== "identifier" && password()}
${view.step === "identifier" ? button(texts, "signIn.next") : button(texts, "signIn.submit", { busy: "signIn.busy" })}`,
  );
}

/** Sign-in: identifier and password together, or one after the other. */
export function renderSignInPage(view: SignInView): string {
  const texts = textsFor(view.language);
  const { application } = view;
  const signUp = linkUrl(view.signUpUrl);
  return renderDocument(view, {
    title: texts.t("signIn.title"),
    hasErrors: hasErrors(view.errors),
    body: html`<h1>${texts.t("signIn.title")}</h1>
<p class="lead">${
      application
        ? texts.rich("signIn.toApplication", { application: nameOf(application.name) })
        : texts.t("signIn.toAccount")
    }</p>
${messages(view)}
${signInForm(view)}
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
