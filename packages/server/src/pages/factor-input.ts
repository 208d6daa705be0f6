/** What the browser says about a passkey; what is no JSON is refused as anything else that is none. */
export function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "null") as unknown;
  } catch {
    return null;
  }
}

/** One line of at most 64 characters, as the contracts have it. */
export function factorName(typed: string | undefined): string {
  return (typed ?? "")
    .replace(/\p{Cc}/gu, " ")
    .trim()
    .slice(0, 64);
}

/** Whether it looks like one of ours, which comes back from the form only to be shown again. */
export function isTotpUri(text: string): boolean {
  return text.length <= 1_000 && /^otpauth:\/\/totp\/[\x21-\x7e]+$/.test(text);
}
