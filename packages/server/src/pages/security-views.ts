import type { AccountLinks, FormView, PageView, PasswordRules, SignUpField } from "./views.ts";

/** A passkey or an authenticator app of the person. */
export interface AccountFactor {
  id: string;
  name: string;
  createdAt: Date;
  lastUsedAt?: Date | undefined;
}

/** A browser that is not asked for the second factor for a while. */
export interface RememberedDevice {
  id: string;
  name: string;
  ip?: string | undefined;
  lastSeenAt: Date;
  until: Date;
}

/** An account elsewhere with which the person can sign in here. */
export interface LinkedAccount {
  id: string;
  provider: string;
  name?: string | undefined;
  linkedAt: Date;
}

/** Posts `forget` = id of a device, or `all`; to `…/unlink` `identity` = id of a linked account. */
export interface AccountSecurityView extends FormView<never> {
  links: AccountLinks;
  passkeys: readonly AccountFactor[];
  authenticators: readonly AccountFactor[];
  /** Those that are left. */
  recoveryCodes: number;
  devices: readonly RememberedDevice[];
  linked: readonly LinkedAccount[];
  now: Date;
  timeZone?: string | undefined;
}

/** Posts `name`. */
export interface RenameFactorView extends FormView<"name"> {
  links: AccountLinks;
  name: string;
}

/** A question before something that cannot be taken back. Posts nothing but the token. */
export interface ConfirmView extends FormView<never> {
  links: AccountLinks;
  question: "removePasskey" | "removeTotp" | "recoveryCodes" | "moveLinked";
  /** What it is about. */
  name?: string | undefined;
}

/** Posts `code`, which was made in the other account. */
export interface LinkAccountView extends FormView<"code"> {
  links: AccountLinks;
}

export interface MoveCodeView extends PageView {
  links: AccountLinks;
  /** To be entered in the other account; works once. */
  code: string;
}

export type IdentifierKind = "email" | "phone" | "username" | "backup_email";

export interface AccountContactView extends FormView<never> {
  links: AccountLinks;
  entries: readonly {
    kind: IdentifierKind;
    value?: string | undefined;
    /** Absent for a username, which nobody can verify. */
    verified?: boolean | undefined;
    /** A change that waits for a code: what it leads to (absent: removal), and where the code is given. */
    pending?: { value?: string | undefined; url: string } | undefined;
    /** Of the page that changes it; absent when it cannot be changed here. */
    changeUrl?: string | undefined;
  }[];
}

/** Posts `kind` and `value`; an empty value, or `remove` = `1`, takes the identifier away. */
export interface ChangeIdentifierView extends FormView<"value"> {
  links: AccountLinks;
  kind: IdentifierKind;
  current?: string | undefined;
  value?: string | undefined;
  /** Whether it may be taken away: an account keeps at least one identifier. */
  removable: boolean;
}

/** Posts `token` and the fields of a new account; of a member only `token`. */
export interface InvitationView extends FormView<SignUpField> {
  token: string;
  /**
   * Who opened it: `member`, who is signed in and may join; `nobody` makes an account; `other` must sign in first,
   * because the invitation is for an account that exists.
   */
  who: "member" | "nobody" | "other";
  /** Of a member. */
  userName?: string | undefined;
  /** To whom it was sent; absent: it is for whoever has the link. */
  email?: string | undefined;
  asksEmail?: "required" | "optional" | undefined;
  signInUrl?: string | undefined;
  values: { username?: string | undefined; nickname?: string | undefined; email?: string | undefined };
  password: PasswordRules;
}

/** Somebody else acts as this person, and every page says so. */
export interface Impersonation {
  /** Who acts. */
  administrator: string;
  user: string;
  reason: string;
  /** Posting there ends it. */
  action: string;
  csrf: string;
}

export interface ImpersonateView extends FormView<never> {
  /** The one-time token of the link; sent back as `token`. */
  token: string;
  userName: string;
  reason: string;
  cancelUrl: string;
}
