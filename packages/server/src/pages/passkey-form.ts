import type { PasskeyOptions } from "./factor-views.ts";
import { hiddenInputs } from "./form.ts";
import { attributes, html, linkUrl, type SafeHtml } from "./html.ts";
import { type MessageKey, textsFor } from "./i18n.ts";
import type { FormView } from "./views.ts";

export interface PasskeyForm {
  /** `get`: proves with one that exists; `create`: makes a new one. */
  ceremony: "get" | "create";
  options: PasskeyOptions;
  label: MessageKey;
  /** Not the main thing of the page: a quiet button, and nothing at all where passkeys cannot work. */
  aside?: boolean;
  /** Offer passkeys in the list that the browser opens at the identifier (WebAuthn "conditional mediation"). */
  conditional?: boolean;
  keep: Record<string, string>;
  /** Further fields. */
  fields?: SafeHtml | false | undefined;
}

/**
 * A form that the script fills in: it asks the browser for the passkey and posts the answer as `passkey`, JSON of
 * WebAuthn Level 3 §5.1 (`PublicKeyCredential.toJSON`). Hidden until there is a script.
 */
export function passkeyForm(
  view: Pick<FormView<never>, "language" | "action" | "csrf" | "flow">,
  { ceremony, options, label, aside = false, conditional = false, keep, fields }: PasskeyForm,
): SafeHtml {
  const texts = textsFor(view.language);
  const hidden = {
    ...keep,
    ...(view.flow === undefined ? {} : { flow: view.flow }),
    csrf: view.csrf,
    passkey: "",
  };
  return html`<form method="post" action="${linkUrl(view.action) ?? ""}"${attributes({
    hidden: true,
    "data-passkey": ceremony,
    "data-options": JSON.stringify(options),
    "data-conditional": conditional,
  })}>
${hiddenInputs(hidden)}${fields}<button${attributes({
    type: "submit",
    class: aside ? "button quiet" : "button",
    "data-busy": texts.t("form.busy"),
  })}>${texts.t(label)}</button>
<p class="error" role="status" data-cancelled="${texts.t("passkey.cancelled")}" data-known="${texts.t("passkey.known")}"></p>
</form>${!aside && html`<p class="hint" data-no-passkeys>${texts.t("passkey.unsupported")}</p>`}`;
}
