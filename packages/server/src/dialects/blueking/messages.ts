import type { FastifyRequest } from "fastify";

/** The sentences of the refusals, as a browser may see them. */
const MESSAGES = {
  en: {
    invalid: "The sign-in has expired or is not valid. Sign in again.",
    denied: "You have no access to this application.",
    caller: "The application's code or secret is wrong.",
    otherTenant: "The application belongs to another tenant.",
    notFound: "There is no such user.",
    unavailable: "The server cannot answer right now. Try again in a moment.",
    malformed: "The request is not valid.",
    nothing: "Nothing is here.",
  },
  "zh-CN": {
    invalid: "登录态已失效，请重新登录。",
    denied: "您没有访问该应用的权限。",
    caller: "应用编码或应用密钥错误。",
    otherTenant: "该应用属于其他租户，禁止跨租户调用。",
    notFound: "用户不存在。",
    unavailable: "服务暂不可用，请稍后重试。",
    malformed: "请求参数错误。",
    nothing: "请求的地址不存在。",
  },
} as const;

export type MessageKey = keyof (typeof MESSAGES)["en"];

/** In the language of `blueking-language`, which bkpaas-auth 4.x sends, else of the browser, else of the tenant. */
export function messageFor(request: FastifyRequest, key: MessageKey): string {
  return MESSAGES[languageOf(request)][key];
}

export function languageOf(request: FastifyRequest): "en" | "zh-CN" {
  const { "blueking-language": asked, "accept-language": accepted } = request.headers;
  const wish = [asked, accepted].find((text) => typeof text === "string" && text !== "");
  // An unknown tenant has no settings.
  const tenant = request.tenant as FastifyRequest["tenant"] | undefined;
  return /^zh\b/i.test(String(wish ?? tenant?.settings.locale ?? "")) ? "zh-CN" : "en";
}
