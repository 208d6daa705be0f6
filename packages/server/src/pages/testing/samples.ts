import { renderAccountApplicationsPage } from "../account-applications.page.ts";
import { renderAccountHomePage } from "../account-home.page.ts";
import { renderAccountPasswordPage, renderNoPasswordPage } from "../account-password.page.ts";
import { renderAccountProfilePage } from "../account-profile.page.ts";
import { renderAccountSessionsPage } from "../account-sessions.page.ts";
import { renderAdministratorPasswordPage } from "../administrator-password.page.ts";
import { renderConsentPage } from "../consent.page.ts";
import { renderErrorPage } from "../error.page.ts";
import { renderFormPostPage } from "../form-post.page.ts";
import { renderNewPasswordPage } from "../new-password.page.ts";
import { renderPopUpPage } from "../pop-up.page.ts";
import { renderSignedInPage, renderSignInPage } from "../sign-in.page.ts";
import { renderSignedOutPage, renderSignOutPage } from "../sign-out.page.ts";
import { renderSignUpPage } from "../sign-up.page.ts";
import type { ErrorKind, PageView, TenantLook } from "../views.ts";
import { firstFactorPages, secondFactorPages, securityPages } from "./factor-samples.ts";

/** Every text in a page that comes from outside. */
export interface Words {
  tenant: TenantLook;
  user: string;
  email: string;
  application: string;
  logoUrl: string | undefined;
  scope: string;
  scopeDescription: string;
  device: string;
  host: string;
  /** Of an input, a hidden field, a trace id, a link's query. */
  value: string;
}

export const PLAIN: Words = {
  tenant: { name: "Example Ltd" },
  user: "Zhang San",
  email: "zs@example.com",
  application: "Shop",
  logoUrl: undefined,
  scope: "orders:read",
  scopeDescription: "see your orders of the last year",
  device: "Firefox on Linux",
  host: "shop.example.com",
  value: "b3f1c2d4e5a69788",
};

const LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft";

/** Names as long as they come, one of them right-to-left. */
export const LONG: Words = {
  tenant: { name: `${LONG_WORD} and Sons, Department of Inland Navigation and Electricity` },
  user: "عبد الرحمن بن محمد بن عبد العزيز الأنصاري",
  email: `${"long.".repeat(11)}name@${"sub.".repeat(20)}example.com`,
  application: LONG_WORD,
  logoUrl: undefined,
  scope: `urn:example:${"orders:".repeat(12)}read`,
  scopeDescription:
    "see the orders, invoices and delivery notes of all the branches that you have worked for",
  device: "Samsung Internet 27.0.4.12 on a Galaxy Z Fold6 Special Edition with Android 16",
  host: `${"very-long-".repeat(8)}host.example.com`,
  value: "5f0c".repeat(16),
};

export const ATTACK = `"><img src=x onerror=alert(1)></title></style><script>alert('x')</script>{{x}}$t(signIn.title)`;

/** The same with something hostile in every place. */
export const HOSTILE: Words = {
  tenant: {
    name: ATTACK,
    logoUrl: "javascript:alert(1)",
    accent: "red;}</style><script>alert(1)</script>",
    background: "#fff}body{display:none",
  },
  user: ATTACK,
  email: `${ATTACK}@example.com`,
  application: ATTACK,
  logoUrl: `https://example.com/"onerror="alert(1)`,
  scope: ATTACK,
  scopeDescription: ATTACK,
  device: ATTACK,
  host: ATTACK,
  value: ATTACK,
};

export interface SamplePage {
  name: string;
  page: string;
}

/** Nonce of every sample; the gallery's policy names it too. */
export const NONCE = "c2FtcGxlLW5vbmNlLTE2Yg==";

const NOW = new Date("2026-01-15T09:30:00Z");
const LINKS = {
  home: "/account",
  profile: "/account/profile",
  password: "/account/password",
  sessions: "/account/sessions",
  applications: "/account/applications",
  security: "/account/security",
  contact: "/account/contact",
  signOut: "/sign-out",
  console: "/console/",
};
const RULES = { minLength: 8, maxLength: 256 };

const ERROR_KINDS: readonly ErrorKind[] = [
  "notFound",
  "flowExpired",
  "linkInvalid",
  "impersonation",
  "notWhileImpersonating",
  "invitation",
  "forged",
  "forbidden",
  "suspended",
  "signUpClosed",
  "badRequest",
  "badApplicationRequest",
  "tooManyRequests",
  "unavailable",
  "internal",
];

function signInPages(view: PageView, words: Words): SamplePage[] {
  const form = { ...view, action: "/sign-in", csrf: words.value, flow: words.value };
  const application = { name: words.application, logoUrl: words.logoUrl };
  const signIn = {
    ...form,
    step: "together",
    values: {},
    identifiers: ["username", "email", "phone"],
    methods: ["password"],
    signUpUrl: "/sign-up?flow=1",
  } as const;
  const signUp = {
    ...form,
    action: "/sign-up",
    fields: { username: "required", email: "required", phone: "optional", nickname: "optional" },
    values: {},
    password: RULES,
    signInUrl: "/sign-in?flow=1",
  } as const;
  const typed = { username: words.user, email: words.email, phone: words.value, nickname: words.user };
  return [
    { name: "sign-in", page: renderSignInPage({ ...signIn, application }) },
    {
      name: "sign-in rejected",
      page: renderSignInPage({
        ...signIn,
        application,
        values: { identifier: words.email },
        errors: { form: "problem.credentialRejected" },
      }),
    },
    {
      name: "sign-in expired",
      page: renderSignInPage({
        ...signIn,
        notice: "problem.flowExpired",
        values: { identifier: words.user },
      }),
    },
    {
      name: "sign-in locked",
      page: renderSignInPage({
        ...signIn,
        signUpUrl: undefined,
        identifiers: ["email"],
        errors: { form: { key: "problem.wait", values: { count: 15 } } },
      }),
    },
    { name: "sign-in identifier", page: renderSignInPage({ ...signIn, step: "identifier", application }) },
    {
      name: "sign-in password",
      page: renderSignInPage({
        ...signIn,
        step: "password",
        values: { identifier: words.email },
        otherIdentifierUrl: "/sign-in?flow=1&again=1",
        signUpUrl: undefined,
        errors: { password: { key: "problem.required", values: { field: "field.password" } } },
      }),
    },
    { name: "signed in already", page: renderSignedInPage({ ...form, userName: words.user, application }) },
    { name: "sign-up", page: renderSignUpPage({ ...signUp, application }) },
    {
      name: "sign-up errors",
      page: renderSignUpPage({
        ...signUp,
        values: typed,
        errors: {
          username: "problem.usernameTaken",
          email: "problem.emailInvalid",
          password: "problem.passwordTooShort",
        },
      }),
    },
    {
      name: "new password",
      page: renderNewPasswordPage({
        ...form,
        action: "/sign-in",
        identifier: words.user,
        password: RULES,
        errors: { password: "problem.passwordReused" },
      }),
    },
    {
      name: "administrator password",
      page: renderAdministratorPasswordPage({
        ...form,
        flow: undefined,
        action: "/set-up",
        token: words.value,
        username: words.user,
        password: RULES,
        errors: { passwordAgain: "problem.passwordMismatch" },
      }),
    },
  ];
}

function flowPages(view: PageView, words: Words): SamplePage[] {
  const form = { ...view, action: "/flow", csrf: words.value, flow: words.value };
  const application = { name: words.application, logoUrl: words.logoUrl };
  const scopes = [
    ...["openid", "profile", "email", "address", "phone", "offline_access", words.scope].map((name) => ({
      name,
    })),
    { name: words.scope, description: words.scopeDescription },
  ];
  return [
    {
      name: "consent",
      page: renderConsentPage({ ...form, application, userName: words.user, scopes, returnHost: words.host }),
    },
    {
      name: "sign-out",
      page: renderSignOutPage({
        ...form,
        userName: words.user,
        application,
        keep: { state: words.value },
        stayUrl: "/account",
      }),
    },
    {
      name: "signed out",
      page: renderSignedOutPage({
        ...view,
        signInUrl: "/sign-in",
        application,
        continueUrl: `https://shop.example.com/?q=${words.value}`,
      }),
    },
    {
      name: "form post",
      page: renderFormPostPage({
        ...view,
        redirectUri: `https://shop.example.com/callback?q=${words.value}`,
        parameters: { code: words.value, state: words.value, iss: "https://id.example.com" },
      }),
    },
    {
      name: "pop-up asks",
      page: renderPopUpPage({
        ...view,
        popUp: {
          kind: "ask",
          signInUrl: `/blueking/login/?app_code=${words.value}`,
          directUrl: `/blueking/login/?c_url=${words.value}`,
          againUrl: `/blueking/login/plain/?c_url=${words.value}`,
        },
      }),
    },
    { name: "pop-up is done", page: renderPopUpPage({ ...view, popUp: { kind: "done" } }) },
    ...ERROR_KINDS.map((kind) => ({
      name: `error ${kind}`,
      page: renderErrorPage({
        ...view,
        kind,
        traceId: words.value,
        code: kind === "badApplicationRequest" ? "invalid_redirect_uri" : undefined,
        next: kind === "internal" ? undefined : { url: "/account", to: "account" },
      }),
    })),
  ];
}

function accountPages(view: PageView, words: Words): SamplePage[] {
  const form = { ...view, action: "/account", csrf: words.value, links: LINKS };
  const user = { displayName: words.user, username: "zs", email: words.email, phone: "+86 138 0000 0000" };
  const session = (id: string, minutes: number, current = false) => ({
    id,
    device: words.device,
    place: words.host,
    ip: "203.0.113.7",
    signedInAt: new Date("2026-01-02T08:00:00Z"),
    lastSeenAt: new Date(NOW.getTime() - minutes * 60_000),
    current,
  });
  return [
    {
      name: "account",
      page: renderAccountHomePage({
        ...view,
        user: { ...user, pictureUrl: words.logoUrl },
        links: LINKS,
        sessionCount: 3,
        passwordChangedAt: new Date("2025-12-24T00:00:00Z"),
        now: NOW,
        notice: "password.changed",
      }),
    },
    {
      name: "account profile",
      page: renderAccountProfilePage({
        ...form,
        values: { nickname: words.user, company: words.tenant.name, locale: "es-CO", zoneinfo: words.value },
        errors: { birthdate: { key: "problem.invalidValue", values: { field: "field.birthdate" } } },
      }),
    },
    {
      name: "account password",
      page: renderAccountPasswordPage({
        ...form,
        user,
        password: RULES,
        errors: { currentPassword: "problem.currentPasswordWrong" },
      }),
    },
    {
      name: "account no password",
      page: renderNoPasswordPage({ ...view, links: LINKS, recoverUrl: "/recover" }),
    },
    {
      name: "account applications",
      page: renderAccountApplicationsPage({
        ...form,
        applications: ["one", "two"].map((id) => ({
          id,
          name: words.application,
          scopes: [{ name: "openid" }, { name: "email" }, { name: words.scope }],
          since: new Date("2025-12-02T08:00:00Z"),
        })),
        notice: "applications.revoked",
      }),
    },
    {
      name: "account no applications",
      page: renderAccountApplicationsPage({ ...form, applications: [] }),
    },
    {
      name: "account sessions",
      page: renderAccountSessionsPage({
        ...form,
        keepsLoggedIn: true,
        sessions: [
          session("one", 0, true),
          session("two", 42),
          { ...session("three", 5_000), device: undefined, place: undefined },
        ],
        now: NOW,
        timeZone: "Asia/Shanghai",
      }),
    },
    {
      name: "account one session",
      page: renderAccountSessionsPage({
        ...form,
        keepsLoggedIn: false,
        sessions: [session("one", 0, true)],
        now: NOW,
      }),
    },
  ];
}

/** Every page in every state. */
export function samplePages(language: string, words: Words, look: Partial<TenantLook> = {}): SamplePage[] {
  const view: PageView = {
    language,
    tenant: { ...words.tenant, ...look },
    nonce: NONCE,
    address: { path: "/sign-in", query: { flow: words.value } },
  };
  return [
    ...signInPages(view, words),
    ...firstFactorPages(view, words),
    ...secondFactorPages(view, words),
    ...flowPages(view, words),
    ...accountPages(view, words),
    ...securityPages(view, words),
  ];
}
