import type { PasskeyOptions } from "./factor-views.ts";
import type { Message } from "./i18n.ts";
import type { ScopeView } from "./scopes.ts";
import type { Impersonation } from "./security-views.ts";

/** How a tenant's pages look. Settings come from administrators, so colours and addresses are checked when rendered. */
export interface TenantLook {
  name: string;
  /** `https:`, `data:image/` or a path of this server; anything else shows the initial instead. */
  logoUrl?: string | undefined;
  /** `#rrggbb`; the default is a deep teal. */
  accent?: string | undefined;
  /** `#rrggbb` behind the card. */
  background?: string | undefined;
  scheme?: "light" | "dark" | "auto" | undefined;
}

/** What every page needs. */
export interface PageView {
  /** BCP 47 tag from `chooseLanguage`. */
  language: string;
  tenant: TenantLook;
  /** Of the response's Content-Security-Policy; base64, 128 bits at least, new for every response. */
  nonce: string;
  /**
   * The GET address of this page, to which the language switch leads, with what must be kept (`flow`).
   * Without it the page shows no switch.
   */
  address?: { path: string; query?: Record<string, string> | undefined } | undefined;
  /** An administrator acts as the person who is signed in. */
  impersonation?: Impersonation | undefined;
}

/** Name of the field → what is wrong with it; `form` for what belongs to no single field. */
export type FormErrors<Field extends string> = { [Name in Field | "form"]?: Message | undefined };

/** A page with a form that is posted to `action`. */
export interface FormView<Field extends string> extends PageView {
  action: string;
  /** Proves that the form came from our page. */
  csrf: string;
  /** Identifier of the sign-in flow; absent on account pages. */
  flow?: string | undefined;
  errors?: FormErrors<Field> | undefined;
  /** Something to say that is not an error: signed out for being idle, password changed. */
  notice?: Message | undefined;
}

export interface ApplicationLook {
  name: string;
  logoUrl?: string | undefined;
}

export interface PasswordRules {
  /** Characters. */
  minLength: number;
  maxLength: number;
}

/** Ways to begin a sign-in. A passkey has an own field: its options. */
export type SignInMethod = "password" | "email_code" | "sms_code" | "magic_link";

export interface SignInView extends FormView<"identifier" | "password"> {
  /**
   * `together`: both fields at once; `identifier`: only who it is; `password`: only the password, for
   * `values.identifier`, which is shown.
   */
  step: "together" | "identifier" | "password";
  values: { identifier?: string | undefined };
  /** Absent when nobody is being signed in for an application, only for the account pages. */
  application?: ApplicationLook | undefined;
  /** Which identifiers the tenant's users have; words the label. */
  identifiers: readonly ("username" | "email" | "phone")[];
  /** Where to create an account; only when sign-up is open. */
  signUpUrl?: string | undefined;
  /** Step `password`: where to go to be someone else. */
  otherIdentifierUrl?: string | undefined;
  /** With what else one may begin, in this order. Posts `step` = `send-code` with `channel`, or `send-link`. */
  methods: readonly SignInMethod[];
  /** Options for the browser; absent: no passkeys here. */
  passkey?: PasskeyOptions | undefined;
  /** Where a forgotten password leads. */
  recoverUrl?: string | undefined;
  /** The account is locked and can be opened by a message. Posts `step` = `start-unlock`. */
  unlockable?: boolean | undefined;
  /** Who is signed in shall prove it again, before something that matters. */
  again?: boolean | undefined;
}

/**
 * Around a sign-in in a window of its own. `ask`: a button that opens the window; the page may be in another
 * application's frame and holds no form. `done`: the last page of the window.
 */
export type PopUp =
  | {
      kind: "ask";
      /** Opens in the new window. */
      signInUrl: string;
      /** The same for a page that turns out to be in no frame: leads on in its own window. */
      directUrl: string;
      /** This page, which goes on by itself once somebody is signed in. */
      againUrl: string;
    }
  | { kind: "done" };

export interface PopUpView extends PageView {
  popUp: PopUp;
}

export interface SignedInView extends FormView<never> {
  userName: string;
  application?: ApplicationLook | undefined;
}

export type SignUpField = "username" | "email" | "phone" | "nickname" | "password";

export interface SignUpView extends FormView<SignUpField> {
  /** Fields that are absent here are not asked for. The password always is. */
  fields: { [Name in Exclude<SignUpField, "password">]?: "required" | "optional" | undefined };
  values: { [Name in Exclude<SignUpField, "password">]?: string | undefined };
  password: PasswordRules;
  application?: ApplicationLook | undefined;
  signInUrl: string;
}

export interface ConsentView extends FormView<never> {
  application: ApplicationLook;
  userName: string;
  /** In the order of the request. `description` is the administrator's own text for a scope of his making. */
  scopes: readonly ScopeView[];
  /** Host to which the browser goes afterwards. */
  returnHost?: string | undefined;
}

export interface SignOutView extends FormView<never> {
  userName?: string | undefined;
  application?: ApplicationLook | undefined;
  /** `post_logout_redirect_uri` and the like must survive the question. */
  keep?: Record<string, string> | undefined;
  /** Where "stay signed in" leads. */
  stayUrl: string;
}

export interface SignedOutView extends PageView {
  signInUrl: string;
  /** Address of the application, if it gave one that is registered. */
  continueUrl?: string | undefined;
  application?: ApplicationLook | undefined;
}

export type ErrorKind =
  | "notFound"
  | "flowExpired"
  | "linkInvalid"
  | "impersonation"
  | "notWhileImpersonating"
  | "invitation"
  | "forged"
  | "forbidden"
  | "suspended"
  | "signUpClosed"
  | "badRequest"
  | "badApplicationRequest"
  | "tooManyRequests"
  | "unavailable"
  | "internal";

export interface ErrorView extends PageView {
  kind: ErrorKind;
  traceId: string;
  /** Code of the error registry or of OAuth; shown small, for whoever looks into it. */
  code?: string | undefined;
  /** The one thing to do next. */
  next?: { url: string; to: "signIn" | "account" | "retry" } | undefined;
}

/** Who the account pages are about. */
export interface AccountUser {
  /** Nickname, else name, else an identifier. */
  displayName: string;
  username?: string | undefined;
  email?: string | undefined;
  phone?: string | undefined;
  pictureUrl?: string | undefined;
}

/** Addresses of the account pages. */
export interface AccountLinks {
  home: string;
  profile: string;
  password: string;
  sessions: string;
  applications: string;
  security: string;
  contact: string;
  signOut: string;
  /** Only for those who may use the console. */
  console?: string | undefined;
}

export interface AccountHomeView extends PageView {
  user: AccountUser;
  links: AccountLinks;
  sessionCount: number;
  passwordChangedAt?: Date | undefined;
  now: Date;
  notice?: Message | undefined;
}

/** Standard claims that a person edits himself (OpenID Connect Core §5.1), and where he works. */
export type ProfileField =
  | "nickname"
  | "name"
  | "givenName"
  | "familyName"
  | "gender"
  | "birthdate"
  | "website"
  | "picture"
  | "company"
  | "department"
  | "locale"
  | "zoneinfo"
  | "country"
  | "region"
  | "locality"
  | "streetAddress"
  | "postalCode";

export interface AccountProfileView extends FormView<ProfileField> {
  links: AccountLinks;
  values: { [Name in ProfileField]?: string | undefined };
}

export interface AccountPasswordView
  extends FormView<"currentPassword" | "newPassword" | "newPasswordAgain"> {
  links: AccountLinks;
  user: AccountUser;
  password: PasswordRules;
}

/** The account has no password to change. */
export interface NoPasswordView extends PageView {
  links: AccountLinks;
  /** Where a code opens the way to one; absent: only an administrator can set it. */
  recoverUrl?: string | undefined;
}

export interface AccountSession {
  id: string;
  /** "Firefox on Linux"; absent when the user agent says nothing. */
  device?: string | undefined;
  /** City or country, when known. */
  place?: string | undefined;
  ip?: string | undefined;
  signedInAt: Date;
  lastSeenAt: Date;
  /** The one that asks. */
  current: boolean;
}

export interface AccountSessionsView extends FormView<never> {
  links: AccountLinks;
  /** Sessions outlive the browser. */
  keepsLoggedIn: boolean;
  /** Most recent first. */
  sessions: readonly AccountSession[];
  now: Date;
  /** IANA name from the user's `zoneinfo`; UTC when absent. */
  timeZone?: string | undefined;
}

export interface AllowedApplication {
  id: string;
  name: string;
  scopes: readonly ScopeView[];
  since: Date;
}

export interface AccountApplicationsView extends FormView<never> {
  links: AccountLinks;
  applications: readonly AllowedApplication[];
  /** IANA name from the user's `zoneinfo`; UTC when absent. */
  timeZone?: string | undefined;
}

export interface AdministratorPasswordView extends FormView<"password" | "passwordAgain"> {
  /** The one-time token of the link; sent back as `token`. */
  token: string;
  /** Name of the account whose password is set. */
  username: string;
  password: PasswordRules;
}

/** In the middle of a sign-in: a new password is needed before anything else. */
export interface NewPasswordView extends FormView<"password" | "passwordAgain"> {
  /** What was typed at the sign-in; for password managers. */
  identifier: string;
  password: PasswordRules;
  application?: ApplicationLook | undefined;
  /** The person has forgotten the old one; default: an administrator has set it. */
  forgotten?: boolean | undefined;
}

/** OAuth 2.0 Form Post Response Mode §2: the answer of an authorization as a form that sends itself. */
export interface FormPostView extends PageView {
  /** An exactly matched, registered redirect URI. */
  redirectUri: string;
  parameters: Record<string, string>;
}
