/** `broken`: it does not work, or not safely. `warning`: it works, but should be looked at. `hint`: good to know. */
export type Level = "ok" | "hint" | "warning" | "broken";

/** One thing that was looked at: what was found, and what to do. */
export interface Finding {
  level: Level;
  /** What was looked at, in a word or two. */
  about: string;
  message: string;
  /** What to do; absent when nothing is to be done. */
  remedy?: string;
}

export const ok = (about: string, message: string): Finding => ({ level: "ok", about, message });
export const hint = (about: string, message: string, remedy: string): Finding => ({
  level: "hint",
  about,
  message,
  remedy,
});
export const warning = (about: string, message: string, remedy: string): Finding => ({
  level: "warning",
  about,
  message,
  remedy,
});
export const broken = (about: string, message: string, remedy: string): Finding => ({
  level: "broken",
  about,
  message,
  remedy,
});
