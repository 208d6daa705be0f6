import { backToAccount } from "./account-home.page.ts";
import { button, type FieldOptions, fieldsOf, form, hasErrors, messages } from "./form.ts";
import { html } from "./html.ts";
import { LANGUAGES, languageName, type MessageKey, type Texts, textsFor } from "./i18n.ts";
import { renderDocument } from "./layout.ts";
import type { AccountProfileView, ProfileField } from "./views.ts";

type Field = Omit<FieldOptions, "name" | "choices"> & { name: ProfileField; choices?: "gender" | "locale" };

/** The groups of the form, in order. Lengths as the users' table allows them, in characters. */
const GROUPS: readonly { title: MessageKey; fields: readonly Field[] }[] = [
  {
    title: "profile.you",
    fields: [
      { name: "nickname", label: "field.nickname", autocomplete: "nickname", maxlength: 128 },
      { name: "name", label: "field.name", autocomplete: "name", maxlength: 256 },
      { name: "givenName", label: "field.givenName", autocomplete: "given-name", maxlength: 128 },
      { name: "familyName", label: "field.familyName", autocomplete: "family-name", maxlength: 128 },
      { name: "gender", label: "field.gender", autocomplete: "sex", choices: "gender" },
      { name: "birthdate", label: "field.birthdate", type: "date", autocomplete: "bday" },
      {
        name: "picture",
        label: "field.picture",
        type: "url",
        autocomplete: "photo",
        inputmode: "url",
        maxlength: 2_048,
        help: "profile.pictureHelp",
      },
      {
        name: "website",
        label: "field.website",
        type: "url",
        autocomplete: "url",
        inputmode: "url",
        maxlength: 2_048,
      },
    ],
  },
  {
    title: "profile.work",
    fields: [
      { name: "company", label: "field.company", autocomplete: "organization", maxlength: 256 },
      { name: "department", label: "field.department", autocomplete: "off", maxlength: 256 },
    ],
  },
  {
    title: "profile.region",
    fields: [
      { name: "locale", label: "field.locale", autocomplete: "language", choices: "locale" },
      {
        name: "zoneinfo",
        label: "field.zoneinfo",
        autocomplete: "off",
        maxlength: 64,
        help: "profile.zoneinfoHelp",
        verbatim: true,
        timeZones: true,
      },
    ],
  },
  {
    title: "profile.address",
    fields: [
      { name: "country", label: "field.country", autocomplete: "country-name", maxlength: 128 },
      { name: "region", label: "field.region", autocomplete: "address-level1", maxlength: 128 },
      { name: "locality", label: "field.locality", autocomplete: "address-level2", maxlength: 128 },
      { name: "streetAddress", label: "field.streetAddress", autocomplete: "address-line1", maxlength: 512 },
      { name: "postalCode", label: "field.postalCode", autocomplete: "postal-code", maxlength: 32 },
    ],
  },
];

/** The names of the form's fields, for whoever reads the form. */
export const PROFILE_FIELDS: readonly ProfileField[] = GROUPS.flatMap(({ fields }) =>
  fields.map(({ name }) => name),
);

/** The choices, with the value that is set even if it is none of ours: saving must not change it. */
function choices(texts: Texts, kind: "gender" | "locale", value: string): (readonly [string, string])[] {
  const unset = ["", texts.t("profile.unset")] as const;
  const known =
    kind === "locale"
      ? LANGUAGES.map((tag) => [tag, languageName(tag)] as const)
      : ([
          ["female", texts.t("gender.female")],
          ["male", texts.t("gender.male")],
          ["other", texts.t("gender.other")],
        ] as const);
  const all = [unset, ...known];
  return all.some(([choice]) => choice === value) ? all : [...all, [value, value]];
}

const WHOLE_DATE = /^(?!0000)\d{4}-\d{2}-\d{2}$/;

/** The fields of the profile that a person edits himself. Identifiers are not among them: changing one needs proof. */
export function renderAccountProfilePage(view: AccountProfileView): string {
  const texts = textsFor(view.language);
  const { field } = fieldsOf(view, { optional: true });
  const input = ({ choices: kind, ...options }: Field) => {
    const value = view.values[options.name] ?? "";
    // A date input shows only whole dates and would lose a year that stands alone (OpenID Connect Core §5.1).
    const type = options.type === "date" && value !== "" && !WHOLE_DATE.test(value) ? "text" : options.type;
    return field({
      ...options,
      ...(type && { type }),
      value,
      ...(kind && { choices: choices(texts, kind, value) }),
    });
  };
  return renderDocument(view, {
    title: texts.t("account.profile"),
    hasErrors: hasErrors(view.errors),
    body: html`${backToAccount(texts, view.links)}
<h1>${texts.t("account.profile")}</h1>
<p class="lead">${texts.t("profile.lead")}</p>
${messages(view)}
${form(
  view,
  html`${GROUPS.map(({ title, fields }) => html`<fieldset><legend>${texts.t(title)}</legend>${fields.map(input)}</fieldset>`)}
${button(texts, "profile.submit", { busy: "form.saving" })}`,
)}`,
  });
}
