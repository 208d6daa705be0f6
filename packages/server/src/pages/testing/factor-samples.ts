import { renderAccountContactPage, renderChangeIdentifierPage } from "../account-contact.page.ts";
import { renderLinkAccountPage, renderMoveCodePage } from "../account-link.page.ts";
import {
  renderAccountSecurityPage,
  renderConfirmPage,
  renderRenameFactorPage,
} from "../account-security.page.ts";
import { renderCodePage } from "../code.page.ts";
import { renderEnrolChoicePage, renderNewPasskeyPage, renderTotpPage } from "../enrol.page.ts";
import type { SecondFactor, SentCode } from "../factor-views.ts";
import { renderImpersonatePage } from "../impersonation.page.ts";
import { renderInvitationPage } from "../invitation.page.ts";
import { renderLinkOpenedPage, renderLinkSentPage } from "../link.page.ts";
import { renderRecoverPage, renderRecoveryCodesPage } from "../recovery.page.ts";
import { renderSecondFactorPage } from "../second-factor.page.ts";
import { renderSignInPage } from "../sign-in.page.ts";
import type { PageView } from "../views.ts";
import type { SamplePage, Words } from "./samples.ts";

const NOW = new Date("2026-01-15T09:30:00Z");
const RULES = { minLength: 8, maxLength: 256 };

const LINKS = {
  home: "/account",
  profile: "/account/profile",
  password: "/account/password",
  sessions: "/account/sessions",
  applications: "/account/applications",
  security: "/account/security",
  contact: "/account/contact",
  signOut: "/sign-out",
};

/** What a server asks of a browser. */
const ASK = { challenge: "Y2hhbGxlbmdl", rpId: "127.0.0.1", timeout: 60_000, userVerification: "preferred" };
const MAKE = {
  challenge: "Y2hhbGxlbmdl",
  rp: { id: "127.0.0.1", name: "Example Ltd" },
  user: { id: "dXNlcg", name: "zs@example.com", displayName: "Zhang San" },
  pubKeyCredParams: [{ type: "public-key", alg: -7 }],
};

const MOVE_CODE = "q0gXb3ZkT1mE8sVwYcR5uJ2pLhN7aD4fKiS6oBvQxM9";
const SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

function otherWays(...factors: (SecondFactor | "other")[]) {
  return { ways: factors.map((factor) => ({ factor, url: `?method=${factor}` })) };
}

/** Beginning with something else than a password. */
export function firstFactorPages(view: PageView, words: Words): SamplePage[] {
  const form = { ...view, action: "/sign-in", csrf: words.value, flow: words.value };
  const application = { name: words.application, logoUrl: words.logoUrl };
  const signIn = {
    ...form,
    step: "together",
    values: {},
    identifiers: ["username", "email", "phone"],
    methods: ["password", "email_code", "sms_code", "magic_link"],
    passkey: ASK,
    recoverUrl: "/recover?flow=1",
    signUpUrl: "/sign-up?flow=1",
  } as const;
  const sent: SentCode = { channel: "email", target: words.email, certain: false, resendSeconds: 42 };
  const other = { ...otherWays("other"), otherIdentifierUrl: "/sign-in?flow=1&change=1" };
  return [
    { name: "sign-in every method", page: renderSignInPage({ ...signIn, application }) },
    {
      name: "sign-in password or code",
      page: renderSignInPage({
        ...signIn,
        step: "password",
        values: { identifier: words.email },
        methods: ["password", "email_code"],
        otherIdentifierUrl: "/sign-in?flow=1&change=1",
        signUpUrl: undefined,
      }),
    },
    {
      name: "sign-in code or link",
      page: renderSignInPage({
        ...signIn,
        step: "password",
        values: { identifier: words.email },
        methods: ["email_code", "magic_link"],
        otherIdentifierUrl: "/sign-in?flow=1&change=1",
        recoverUrl: undefined,
        signUpUrl: undefined,
      }),
    },
    {
      name: "sign-in locked, with a way out",
      page: renderSignInPage({
        ...signIn,
        values: { identifier: words.email },
        methods: ["password"],
        unlockable: true,
        errors: { form: { key: "problem.wait", values: { count: 15 } } },
      }),
    },
    {
      name: "sign-in again",
      page: renderSignInPage({
        ...signIn,
        step: "password",
        values: { identifier: words.user },
        methods: ["password"],
        again: true,
        signUpUrl: undefined,
      }),
    },
    { name: "code", page: renderCodePage({ ...form, sent, purpose: "sign-in", otherWays: other }) },
    {
      name: "code wrong",
      page: renderCodePage({
        ...form,
        sent: { ...sent, target: undefined, resendSeconds: 0 },
        purpose: "sign-in",
        errors: { code: "problem.codeWrong" },
      }),
    },
    {
      name: "code by phone",
      page: renderCodePage({
        ...form,
        sent: { channel: "sms", target: words.value, certain: true, resendSeconds: 0 },
        purpose: "verify",
        errors: { form: "problem.codeUsedUp" },
      }),
    },
    { name: "link sent", page: renderLinkSentPage({ ...form, sent, otherWays: other }) },
    {
      name: "link opened here",
      page: renderLinkOpenedPage({ ...form, secret: words.value, signInUrl: "/sign-in", application }),
    },
    {
      name: "link opened elsewhere",
      page: renderLinkOpenedPage({ ...form, flow: undefined, signInUrl: "/sign-in" }),
    },
    {
      name: "recover",
      page: renderRecoverPage({
        ...form,
        values: { identifier: words.email },
        fixed: false,
        signInUrl: "/sign-in?flow=1",
        errors: { form: { key: "problem.wait", values: { count: 3 } } },
      }),
    },
    {
      name: "recover code",
      page: renderCodePage({
        ...form,
        sent,
        purpose: "recovery",
        elsewhere: [
          { step: "start-recovery backup_email", way: "backup_email" },
          { step: "start-recovery sms", way: "sms" },
        ],
      }),
    },
  ];
}

/** The second proof, and how one gets it. */
export function secondFactorPages(view: PageView, words: Words): SamplePage[] {
  const form = { ...view, action: "/sign-in", csrf: words.value, flow: words.value };
  const second = (factor: SecondFactor, more: object = {}): SamplePage => ({
    name: `second factor ${factor}`,
    page: renderSecondFactorPage({
      ...form,
      factor,
      rememberDays: 30,
      otherWays: {
        ...otherWays("passkey", "sms_code", "recovery_code"),
        otherIdentifierUrl: "/sign-in?flow=1&change=1",
      },
      ...more,
    }),
  });
  const sent: SentCode = { channel: "sms", target: words.value, certain: true, resendSeconds: 25 };
  const key = { id: words.value, uri: `otpauth://totp/Example?secret=${SECRET}&issuer=Example` };
  return [
    second("totp"),
    second("passkey", { passkey: ASK, otherWays: otherWays("totp") }),
    second("email_code", { otherWays: otherWays() }),
    second("sms_code", { sent }),
    second("recovery_code", { errors: { code: "problem.recoveryCodeWrong" }, rememberDays: undefined }),
    {
      name: "enrol",
      page: renderEnrolChoicePage({
        ...view,
        ways: [
          { factor: "passkey", url: "?method=passkey" },
          { factor: "totp", url: "?method=totp" },
        ],
      }),
    },
    {
      name: "enrol app",
      page: renderTotpPage({ ...form, ...key, choiceUrl: "/sign-in?flow=1" }),
    },
    {
      name: "enrol passkey",
      page: renderNewPasskeyPage({
        ...form,
        passkey: MAKE,
        name: words.device,
        choiceUrl: "/sign-in?flow=1",
      }),
    },
    {
      name: "account app",
      page: renderTotpPage({
        ...form,
        flow: undefined,
        ...key,

        links: LINKS,
        errors: { code: "problem.appCodeWrong" },
      }),
    },
    {
      name: "account passkey",
      page: renderNewPasskeyPage({
        ...form,
        flow: undefined,
        passkey: MAKE,
        name: words.device,
        links: LINKS,
        errors: { form: "problem.passkeyRejected" },
      }),
    },
    {
      name: "recovery codes",
      page: renderRecoveryCodesPage({
        ...view,
        codes: Array.from({ length: 10 }, (_, index) => `k7m2${index}-9xw4q`),
        account: words.email,
        nextUrl: "/account/security",
      }),
    },
  ];
}

/** What people look after, of what protects them. */
export function securityPages(view: PageView, words: Words): SamplePage[] {
  const form = { ...view, action: "/account/security", csrf: words.value, links: LINKS };
  const factor = (id: string, days?: number) => ({
    id,
    name: words.device,
    createdAt: new Date("2025-12-02T08:00:00Z"),
    ...(days === undefined ? {} : { lastUsedAt: new Date(NOW.getTime() - days * 86_400_000) }),
  });
  const device = (id: string) => ({
    id,
    name: words.device,
    ip: "203.0.113.7",
    lastSeenAt: new Date(NOW.getTime() - 7_200_000),
    until: new Date("2026-02-10T00:00:00Z"),
  });
  const impersonation = {
    administrator: words.application,
    user: words.user,
    reason: words.scopeDescription,
    action: "/account/impersonation/end",
    csrf: words.value,
  };
  return [
    {
      name: "account security",
      page: renderAccountSecurityPage({
        ...form,
        passkeys: [factor("one", 2), factor("two")],
        authenticators: [factor("three", 40)],
        recoveryCodes: 7,
        devices: [device("four"), device("five")],
        linked: [
          {
            id: "six",
            provider: words.application,
            name: words.email,
            linkedAt: new Date("2025-11-20T00:00:00Z"),
          },
        ],
        now: NOW,
        notice: "security.passkeyAdded",
      }),
    },
    {
      name: "account security empty",
      page: renderAccountSecurityPage({
        ...form,
        impersonation,
        passkeys: [],
        authenticators: [],
        recoveryCodes: 0,
        devices: [],
        linked: [],
        now: NOW,
      }),
    },
    {
      name: "account rename",
      page: renderRenameFactorPage({
        ...form,
        name: words.device,
        errors: { name: { key: "problem.required", values: { field: "field.passkeyName" } } },
      }),
    },
    {
      name: "account remove",
      page: renderConfirmPage({
        ...form,
        question: "removePasskey",
        name: words.device,
        errors: { form: "problem.factorNeeded" },
      }),
    },
    { name: "account new codes", page: renderConfirmPage({ ...form, question: "recoveryCodes" }) },
    {
      name: "account contact",
      page: renderAccountContactPage({
        ...form,
        entries: [
          { kind: "email", value: words.email, verified: true, changeUrl: "?kind=email" },
          {
            kind: "phone",
            value: words.value,
            verified: false,
            changeUrl: "?kind=phone",
            pending: { url: "?change=1" },
          },
          {
            kind: "backup_email",
            verified: false,
            changeUrl: "?kind=backup_email",
            pending: { value: words.email, url: "?change=2" },
          },
          { kind: "username", value: words.user, changeUrl: "?kind=username" },
        ],
      }),
    },
    {
      name: "account change e-mail",
      page: renderChangeIdentifierPage({
        ...form,
        kind: "email",
        current: words.email,
        value: words.user,
        removable: true,
        errors: { value: "problem.emailInvalid" },
      }),
    },
    {
      name: "account change username",
      page: renderChangeIdentifierPage({
        ...form,
        kind: "username",
        current: words.user,
        value: words.value,
        removable: false,
        errors: { value: "problem.usernameTaken" },
      }),
    },
    {
      name: "account link",
      page: renderLinkAccountPage({ ...form, errors: { code: "problem.proofRefused" } }),
    },
    { name: "account move", page: renderConfirmPage({ ...form, question: "moveLinked" }) },
    { name: "account move code", page: renderMoveCodePage({ ...view, links: LINKS, code: MOVE_CODE }) },
    {
      name: "account confirm change",
      page: renderCodePage({
        ...form,
        sent: { channel: "email", target: words.email, certain: true, resendSeconds: 0 },
        purpose: "confirm",
        cancelStep: "cancel",
        notice: "change.confirmOld",
      }),
    },
    ...(["nobody", "member", "other"] as const).map((who) => ({
      name: `invitation, ${who}`,
      page: renderInvitationPage({
        ...form,
        token: words.value,
        who,
        ...(who === "member" ? { userName: words.user } : { email: words.email, signInUrl: "/sign-in" }),
        values: {},
        password: RULES,
      }),
    })),
    {
      name: "impersonate",
      page: renderImpersonatePage({
        ...form,
        token: words.value,
        userName: words.user,
        reason: words.scopeDescription,
        cancelUrl: "/account",
      }),
    },
  ];
}
