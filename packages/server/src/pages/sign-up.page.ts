import { button, type FieldOptions, fieldsOf, form, hasErrors, messages } from "./form.ts";
import { html, linkUrl } from "./html.ts";
import { textsFor } from "./i18n.ts";
import { nameOf, renderDocument } from "./layout.ts";
import type { SignUpField, SignUpView } from "./views.ts";

const FIELDS: readonly (Omit<FieldOptions, "name"> & { name: Exclude<SignUpField, "password"> })[] = [
  { name: "username", label: "field.username", autocomplete: "username", maxlength: 128, verbatim: true },
  {
    name: "email",
    label: "field.email",
    type: "email",
    autocomplete: "email",
    inputmode: "email",
    maxlength: 320,
  },
  { name: "phone", label: "field.phone", type: "tel", autocomplete: "tel", inputmode: "tel", maxlength: 32 },
  {
    name: "nickname",
    label: "field.nickname",
    autocomplete: "nickname",
    maxlength: 128,
    help: "signUp.nicknameHelp",
  },
];

/** Creating one's own account, where the tenant allows it. */
export function renderSignUpPage(view: SignUpView): string {
  const texts = textsFor(view.language);
  const limits = { min: view.password.minLength, max: view.password.maxLength };
  const { field } = fieldsOf(view, { values: limits });
  const signIn = linkUrl(view.signInUrl);
  const asked = FIELDS.filter(({ name }) => view.fields[name] !== undefined).map((options) =>
    field({
      ...options,
      value: view.values[options.name],
      enterkeyhint: "next",
      required: view.fields[options.name] === "required",
    }),
  );
  return renderDocument(view, {
    title: texts.t("signUp.title"),
    hasErrors: hasErrors(view.errors),
    body: html`<h1>${texts.t("signUp.title")}</h1>
<p class="lead">${
      view.application
        ? texts.rich("signUp.forApplication", { application: nameOf(view.application.name) })
        : texts.rich("signUp.forTenant", { tenant: nameOf(view.tenant.name) })
    }</p>
${messages(view, limits)}
${form(
  view,
  html`${asked}
${field({
  name: "password",
  label: "field.password",
  type: "password",
  autocomplete: "new-password",
  enterkeyhint: "go",
  required: true,
  help: { key: "password.help", values: limits },
})}
${button(texts, "signUp.submit", { busy: "signUp.busy" })}`,
)}
${signIn && html`<p class="below">${texts.t("signUp.haveAccount")} <a href="${signIn}">${texts.t("signUp.signIn")}</a></p>`}`,
  });
}
