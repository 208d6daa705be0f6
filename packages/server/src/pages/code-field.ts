import type { OtherWays, SecondFactor, SentCode } from "./factor-views.ts";
import { button, type Fields } from "./form.ts";
import { attributes, html, linkUrl, raw, type SafeHtml } from "./html.ts";
import type { MessageKey, Texts } from "./i18n.ts";
import { nameOf } from "./layout.ts";

/** Six digits, wherever they come from. The name is fixed: forms of others and tests rely on it. */
export function codeField({ field }: Fields): SafeHtml {
  return field({
    name: "code",
    label: "field.code",
    autocomplete: "one-time-code",
    inputmode: "numeric",
    enterkeyhint: "go",
    required: true,
    verbatim: true,
    // Room for what people paste: "123 456".
    maxlength: 16,
    digits: true,
  });
}

/** One of the ten that were printed: letters and digits, with or without the hyphen. */
export function recoveryCodeField({ field }: Fields): SafeHtml {
  return field({
    name: "code",
    label: "field.recoveryCode",
    autocomplete: "off",
    enterkeyhint: "go",
    required: true,
    verbatim: true,
    maxlength: 64,
  });
}

/** Where the code went, as far as it may be told. */
export function sentTo(texts: Texts, { channel, target, certain }: SentCode): SafeHtml {
  if (target === undefined) return html`${texts.t(channel === "email" ? "code.sentEmail" : "code.sentSms")}`;
  return texts.rich(certain ? "code.sentTo" : "code.sentPerhaps", { target: nameOf(target) });
}

/** A button for a new code, and how long it is until one may be asked for; the script counts down. */
export function sendAgain(
  texts: Texts,
  { resendSeconds, channel }: SentCode,
  step: string,
  label: MessageKey,
): SafeHtml {
  const seconds = Math.max(0, Math.ceil(resendSeconds));
  const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  const clock = html`<span${attributes({ "data-countdown": seconds })}>${time}</span>`;
  return html`${button(texts, label, { name: "step", value: step, quiet: true, novalidate: true, busy: "code.sending" })}
${seconds > 0 && html`<p class="hint centre">${texts.rich("code.resendIn", { time: clock })}</p>`}
${channel === "email" && html`<p class="hint centre">${texts.t("code.spam")}</p>`}`;
}

/** Remember this browser, so that it is not asked for the second factor for some days. */
export function rememberBox(texts: Texts, days: number | undefined): SafeHtml {
  if (days === undefined) return raw("");
  return html`<div class="check"><input type="checkbox" id="remember" name="remember" value="1" autocomplete="off"><label for="remember">${texts.t({ key: "secondFactor.remember", values: { count: days } })}</label></div>`;
}

const WAYS: Record<SecondFactor | "other", MessageKey> = {
  other: "way.other",
  totp: "way.totp",
  passkey: "way.passkey",
  email_code: "way.emailCode",
  sms_code: "way.smsCode",
  recovery_code: "way.recoveryCode",
};

/** What else one can do, below the form. */
export function otherWays(texts: Texts, other: OtherWays | undefined): SafeHtml {
  if (!other) return raw("");
  const someoneElse = linkUrl(other.otherIdentifierUrl);
  const way = ({ factor, url }: OtherWays["ways"][number]): SafeHtml => {
    const href = linkUrl(url);
    return html`${href && html`<li><a href="${href}">${texts.t(WAYS[factor])}</a></li>`}`;
  };
  // A single "another way" needs no heading.
  const [only, ...more] = other.ways;
  if (only?.factor === "other" && more.length === 0) {
    return html`<p class="below"><a href="${linkUrl(only.url) ?? ""}">${texts.t(WAYS.other)}</a></p>
${someoneElse && html`<p class="below near"><a href="${someoneElse}">${texts.t("signIn.otherIdentifier")}</a></p>`}`;
  }
  return html`${
    other.ways.length > 0 &&
    html`<section class="ways"><h2>${texts.t("way.title")}</h2><ul>${other.ways.map(way)}</ul></section>`
  }
${someoneElse && html`<p class="below"><a href="${someoneElse}">${texts.t("signIn.otherIdentifier")}</a></p>`}`;
}
