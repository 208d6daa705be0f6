import { escapeHtml } from "../../kernel/escape-html.ts";
import type { Language } from "./messages.ts";

const WORDS = {
  en: {
    title: "Choose a password",
    label: "New password",
    button: "Save password",
    done: "The password is set. You can sign in with it now.",
    gone: "This link has expired or was used. Ask for a new one.",
  },
  es: {
    title: "Elija una contraseña",
    label: "Nueva contraseña",
    button: "Guardar contraseña",
    done: "La contraseña está guardada. Ya puede iniciar sesión con ella.",
    gone: "Este enlace ha caducado o ya se usó. Pida uno nuevo.",
  },
  "zh-CN": {
    title: "设置密码",
    label: "新密码",
    button: "保存密码",
    done: "密码已设置，现在可以用它登录。",
    gone: "此链接已过期或已使用，请重新申请。",
  },
} as const;

export type PasswordPage =
  | { state: "form"; token: string; fault?: string }
  | { state: "done" }
  | { state: "gone" };

const STYLE =
  "body{font:16px/1.5 system-ui,sans-serif;margin:0;min-height:100vh;display:grid;place-items:center;background:#f4f5f6;color:#1c1f23}" +
  "main{box-sizing:border-box;width:min(400px,100vw);padding:32px;background:#fff;border-radius:12px}" +
  "h1{font-size:24px;margin:0 0 24px}label{display:block;margin-bottom:8px}" +
  "input,button{box-sizing:border-box;width:100%;font:inherit;padding:8px 12px;border-radius:8px;border:1px solid #6b7280}" +
  "button{margin-top:16px;background:#0f6b66;border-color:#0f6b66;color:#fff}" +
  "[role=alert]{color:#b3261e;margin:0 0 16px}:focus-visible{outline:3px solid #0f6b66;outline-offset:2px}" +
  "@media(prefers-color-scheme:dark){body{background:#15181b;color:#e8eaed}main{background:#1f2327}input{background:#15181b;color:inherit}[role=alert]{color:#ffb4ab}button{background:#7fd6cf;border-color:#7fd6cf;color:#00201e}}";

/** The page that a link in a mail opens: it works without a script, and opening it uses nothing up. */
export function passwordPage(language: Language, page: PasswordPage): string {
  const words = WORDS[language];
  const content = page.state === "form" ? form(words, page) : `<p role="status">${words[page.state]}</p>`;
  return (
    `<!doctype html><html lang="${language}"><head><meta charset="utf-8">` +
    `<meta name="viewport" content="width=device-width"><meta name="referrer" content="no-referrer">` +
    `<title>${words.title}</title><style>${STYLE}</style></head>` +
    `<body><main><h1>${words.title}</h1>${content}</main></body></html>`
  );
}

function form(words: (typeof WORDS)[Language], { token, fault }: PasswordPage & { state: "form" }): string {
  const alert = fault === undefined ? "" : `<p role="alert" id="fault">${escapeHtml(fault)}</p>`;
  const described = fault === undefined ? "" : ' aria-invalid="true" aria-describedby="fault"';
  return (
    `<form method="post">${alert}<input type="hidden" name="token" value="${escapeHtml(token)}">` +
    `<label for="password">${words.label}</label>` +
    `<input id="password" name="password" type="password" autocomplete="new-password" required autofocus${described}>` +
    `<button>${words.button}</button></form>`
  );
}
