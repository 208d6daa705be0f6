/** First match wins: browsers imitate each other, so the imitators come first. */
const BROWSERS: readonly [RegExp, string][] = [
  [/\bMicroMessenger\//, "WeChat"],
  [/\bDingTalk\//, "DingTalk"],
  [/\b(?:Lark|Feishu)\//, "Feishu"],
  [/\b(?:Edg|EdgA|EdgiOS)\//, "Edge"],
  [/\b(?:OPR|Opera)\//, "Opera"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\bYaBrowser\//, "Yandex Browser"],
  [/\bVivaldi\//, "Vivaldi"],
  [/\b(?:UCBrowser|UBrowser)\//, "UC Browser"],
  [/\bQQBrowser\//, "QQ Browser"],
  [/\b(?:Firefox|FxiOS)\//, "Firefox"],
  [/\b(?:HeadlessChrome|Chrome|Chromium|CriOS)\//, "Chrome"],
  [/\bVersion\/[\d.]+.*\bSafari\//, "Safari"],
  [/\bcurl\//, "curl"],
  [/\bPostmanRuntime\//, "Postman"],
  [/\bpython-(?:requests|httpx)\//i, "Python"],
  [/\bokhttp\//, "Android app"],
];

const SYSTEMS: readonly [RegExp, string][] = [
  [/\biPhone\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\b(?:HarmonyOS|OpenHarmony)\b/, "HarmonyOS"],
  [/\bAndroid\b/, "Android"],
  [/\bWindows\b/, "Windows"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\b(?:Macintosh|Mac OS X)\b/, "macOS"],
  [/\bLinux\b/, "Linux"],
];

/** Longer ones come from nobody's browser, and are not worth the matching. */
const MAXIMUM_LENGTH = 1_024;

/** A User-Agent header in words a person recognises: `Chrome on Windows`. Empty when it tells nothing. */
export function deviceName(userAgent: string | null): string {
  if (userAgent === null) return "";
  const text = userAgent.slice(0, MAXIMUM_LENGTH);
  const browser = BROWSERS.find(([pattern]) => pattern.test(text))?.[1];
  const system = SYSTEMS.find(([pattern]) => pattern.test(text))?.[1];
  if (browser !== undefined && system !== undefined) return `${browser} on ${system}`;
  return browser ?? system ?? "";
}
