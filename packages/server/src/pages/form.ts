import { attributes, html, linkUrl, type SafeHtml } from "./html.ts";
import { type Message, type MessageKey, type MessageValues, type Texts, textsFor } from "./i18n.ts";
import type { FormErrors, FormView } from "./views.ts";

export interface FieldOptions {
  name: string;
  label: MessageKey;
  type?: "text" | "password" | "email" | "tel" | "url" | "date";
  value?: string | undefined;
  autocomplete: string;
  inputmode?: "email" | "tel" | "url" | "numeric";
  /** What the phone's enter key says. */
  enterkeyhint?: "next" | "go" | "done";
  help?: Message;
  /** The label of a field that is not required says so, except in a form where nothing is. */
  required?: boolean;
  readonly?: boolean;
  /** Typed letter by letter: the phone must not capitalise or correct it. */
  verbatim?: boolean;
  /** Characters. */
  maxlength?: number;
  /** A code of digits: set large and apart; the script takes out what else was pasted. */
  digits?: boolean;
  /** Hint to the script: offer the time zones the browser knows. */
  timeZones?: boolean;
  /** Instead of an input: value and text of each choice. */
  choices?: readonly (readonly [value: string, text: string])[];
}

/** The fields of one form: knows the errors, and gives the focus to the first field that wants something. */
export interface Fields {
  field(options: FieldOptions): SafeHtml;
}

export function hasErrors(errors: FormErrors<string> | undefined): boolean {
  return Object.values(errors ?? {}).some((message) => message !== undefined);
}

function passwordExtras(texts: Texts, name: string): { toggle: SafeHtml; capsLock: SafeHtml } {
  return {
    // Hidden until the script makes it work.
    toggle: html`<button type="button" class="reveal" hidden aria-controls="${name}" aria-pressed="false"
data-show="${texts.t("form.show")}" data-hide="${texts.t("form.hide")}" aria-label="${texts.t("form.showPassword")}">${texts.t("form.show")}</button>`,
    capsLock: html`<p class="hint caps-lock" role="status" data-text="${texts.t("form.capsLock")}"></p>`,
  };
}

function choiceList(options: FieldOptions, common: SafeHtml): SafeHtml {
  const option = ([value, text]: readonly [string, string]): SafeHtml =>
    html`<option value="${value}"${attributes({ selected: value === (options.value ?? "") })}>${text}</option>`;
  return html`<select${common}>${(options.choices ?? []).map(option)}</select>`;
}

function control(options: FieldOptions, common: SafeHtml): SafeHtml {
  if (options.choices) return choiceList(options, common);
  const secret = options.type === "password";
  return html`<input${common}${attributes({
    type: options.type ?? "text",
    // A right-to-left name reads from the right on a left-to-right page too.
    dir: options.type === undefined ? "auto" : undefined,
    // A secret never travels back into a page.
    value: secret ? undefined : options.value,
    inputmode: options.inputmode,
    enterkeyhint: options.enterkeyhint,
    readonly: options.readonly ?? false,
    maxlength: options.maxlength,
    autocapitalize: secret || options.verbatim ? "none" : undefined,
    spellcheck: secret || options.verbatim ? "false" : undefined,
    class: options.digits ? "digits" : undefined,
    list: options.timeZones ? `${options.name}-list` : undefined,
  })}>${options.timeZones && html`<datalist id="${options.name}-list" data-time-zones></datalist>`}`;
}

function renderField(texts: Texts, options: FieldOptions, state: FieldState): SafeHtml {
  const { name } = options;
  const help = options.help && html`<p class="hint" id="${name}-help">${texts.t(options.help)}</p>`;
  const error =
    state.error && html`<p class="error" id="${name}-error">${texts.t(state.error, state.values)}</p>`;
  const describedBy = [help && `${name}-help`, error && `${name}-error`].filter(Boolean).join(" ");
  const common = attributes({
    id: name,
    name,
    autocomplete: options.autocomplete,
    required: options.required ?? false,
    autofocus: state.autofocus,
    "aria-describedby": describedBy || undefined,
    "aria-invalid": error ? "true" : undefined,
  });
  const extras = options.type === "password" ? passwordExtras(texts, name) : null;
  const optional = state.markOptional && !options.required && !options.readonly;
  return html`<div class="field">
<label for="${name}">${texts.t(options.label)}${optional && html` <span class="optional">${texts.t("form.optional")}</span>`}</label>
<div class="control">${control(options, common)}${extras?.toggle}</div>
${extras?.capsLock}${help}${error}
</div>`;
}

interface FieldState {
  error: Message | undefined;
  values: MessageValues;
  autofocus: boolean;
  markOptional: boolean;
}

/**
 * @param values - For error texts that name a limit ("at least {{min}} characters").
 * @param optional - `true` for a form of which nothing need be filled in: no label says so, and none gets the focus.
 */
export function fieldsOf(
  view: { language: string; errors?: FormErrors<string> | undefined },
  { values = {}, optional = false }: { values?: MessageValues; optional?: boolean } = {},
): Fields {
  const texts = textsFor(view.language);
  // With errors the summary gets the focus.
  let wantsFocus = !optional && !hasErrors(view.errors);
  return {
    field(options) {
      const autofocus = wantsFocus && !options.value && !options.readonly;
      if (autofocus) wantsFocus = false;
      return renderField(texts, options, {
        error: view.errors?.[options.name],
        values,
        autofocus,
        markOptional: !optional,
      });
    },
  };
}

/** What went wrong, on top and announced; each line leads to its field. Then the notice, if there is one. */
export function messages(
  view: {
    language: string;
    errors?: FormErrors<string> | undefined;
    notice?: Message | undefined;
  },
  values: MessageValues = {},
): SafeHtml {
  const texts = textsFor(view.language);
  const errors = Object.entries(view.errors ?? {}).flatMap(([name, message]) =>
    message === undefined ? [] : [{ name, text: texts.t(message, values) }],
  );
  const notice = view.notice && html`<p class="notice" role="status">${texts.t(view.notice, values)}</p>`;
  if (errors.length === 0) return html`${notice}`;
  const line = (error: { name: string; text: string }): SafeHtml =>
    error.name === "form"
      ? html`<p>${error.text}</p>`
      : html`<p><a href="#${error.name}">${error.text}</a></p>`;
  return html`${notice}<div class="summary" role="alert" tabindex="-1" autofocus>${errors.map(line)}</div>`;
}

/**
 * A form with its hidden fields. `keep` is carried along as it is.
 *
 * @param id - for buttons that stand outside of it.
 */
export function form(
  view: Pick<FormView<never>, "action" | "csrf" | "flow">,
  body: SafeHtml,
  keep: Record<string, string> = {},
  id?: string,
): SafeHtml {
  const hidden = { ...keep, ...(view.flow === undefined ? {} : { flow: view.flow }), csrf: view.csrf };
  return html`<form method="post" action="${linkUrl(view.action) ?? ""}"${attributes({ id })}>
${hiddenInputs(hidden)}${body}
</form>`;
}

export function hiddenInputs(values: Record<string, string>): SafeHtml {
  return html`${Object.entries(values).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">
`,
  )}`;
}

/** The button says what it does, and, once pressed for 300 ms, what it is doing. */
export function button(
  texts: Texts,
  label: MessageKey,
  options: {
    quiet?: boolean;
    name?: string;
    value?: string;
    busy?: MessageKey;
    /** Works with what the form has not got yet. */
    novalidate?: boolean;
    /** Id of the form, for a button outside of it. */
    form?: string;
  } = {},
): SafeHtml {
  return html`<button${attributes({
    type: "submit",
    class: options.quiet ? "button quiet" : "button",
    form: options.form,
    name: options.name,
    value: options.value,
    formnovalidate: options.novalidate ?? false,
    "data-busy": texts.t(options.busy ?? "form.busy"),
  })}>${texts.t(label)}</button>`;
}

/** A link in the shape of a button; nothing when the address is none a link may lead to. */
export function buttonLink(texts: Texts, url: string, label: MessageKey, quiet = false): SafeHtml {
  const href = linkUrl(url);
  return html`${href && html`<a class="${quiet ? "button quiet" : "button"}" href="${href}">${texts.t(label)}</a>`}`;
}
