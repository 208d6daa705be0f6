import type { Message } from "./i18n.ts";
import type { AccountLinks, ApplicationLook, FormView, PageView } from "./views.ts";

/** Ways to prove who one is that need a page of their own. */
export type SecondFactor = "totp" | "passkey" | "email_code" | "sms_code" | "recovery_code";

/** What the browser is to do with an authenticator: options of WebAuthn Level 3 §5.1.8 or §5.1.9 as JSON. */
export type PasskeyOptions = object;

/** A code that was sent. */
export interface SentCode {
  channel: "email" | "sms";
  /** The address as far as it may be shown: `a•••@example.com`. Absent: not to be told. */
  target?: string | undefined;
  /** Whether it is certain that something was sent; a stranger at the sign-in is not told. */
  certain: boolean;
  /** Until a new one may be asked for; 0 or less: now. */
  resendSeconds: number;
}

/** Other ways to go on, as links. */
export interface OtherWays {
  ways: readonly { factor: SecondFactor | "other"; url: string }[];
  /** Where to be someone else. */
  otherIdentifierUrl?: string | undefined;
}

/** Posts `step` = `give-code` with `code`, or `step` = `send-code` for a new one. */
export interface CodeView extends FormView<"code"> {
  sent: SentCode;
  /** What the code is for; words the title and the button. */
  purpose: "sign-in" | "recovery" | "verify" | "confirm";
  /** Posted as `step` for a new one; default `send-code`. */
  resendStep?: string | undefined;
  /** Posted as `step` to give the change up; absent: there is nothing to give up. */
  cancelStep?: string | undefined;
  /** Where else a code can go; each posts its `step`. */
  elsewhere?: readonly { step: string; way: "email" | "backup_email" | "sms" }[] | undefined;
  otherWays?: OtherWays | undefined;
  /** Account pages have a way back instead. */
  links?: AccountLinks | undefined;
}

/** Posts `step` = `send-link` for a new one. */
export interface LinkSentView extends FormView<never> {
  sent: SentCode;
  otherWays?: OtherWays | undefined;
}

/** Posts `step` = `open-link` with `secret`. Absent: this is not the browser that asked, and nothing else is shown. */
export interface LinkOpenedView extends FormView<never> {
  secret?: string | undefined;
  /** Where a sign-in in this browser begins. */
  signInUrl: string;
  application?: ApplicationLook | undefined;
}

/** Posts `code`, or `passkey`; with `remember` = `1` when the box is ticked. `step` says which. */
export interface SecondFactorView extends FormView<"code"> {
  factor: SecondFactor;
  /** Factor `passkey`. */
  passkey?: PasskeyOptions | undefined;
  /** Factors `email_code`, `sms_code`; absent: not sent yet, the button sends it. */
  sent?: SentCode | undefined;
  /** Days this browser can be remembered; absent: it cannot. */
  rememberDays?: number | undefined;
  otherWays: OtherWays;
}

/** A second factor is demanded and the person has none. */
export interface EnrolChoiceView extends PageView {
  ways: readonly { factor: "totp" | "passkey"; url: string }[];
  notice?: Message | undefined;
}

/** Posts `step` = `enrol-totp` with `code`, `id`, and `uri`, so that the page can be shown again with the same key. */
export interface TotpView extends FormView<"code"> {
  id: string;
  /** `otpauth:` address, for the QR code and for apps on the same device; with the key in it. */
  uri: string;
  /** In a sign-in: back to the choice. */
  choiceUrl?: string | undefined;
  links?: AccountLinks | undefined;
}

/** Posts `step` = `enrol-passkey` with `passkey`. */
export interface NewPasskeyView extends FormView<"name"> {
  passkey: PasskeyOptions;
  keep?: Record<string, string> | undefined;
  /** What it is called unless the person says otherwise. */
  name: string;
  choiceUrl?: string | undefined;
  links?: AccountLinks | undefined;
}

/** Shown once. */
export interface RecoveryCodesView extends PageView {
  codes: readonly string[];
  /** Whose they are, for the file. */
  account: string;
  nextUrl: string;
}

/** The password was forgotten. Posts `step` = `start-recovery` with `identifier`. */
export interface RecoverView extends FormView<"identifier"> {
  values: { identifier?: string | undefined };
  /** The flow is about this identifier already. */
  fixed: boolean;
  signInUrl: string;
}
