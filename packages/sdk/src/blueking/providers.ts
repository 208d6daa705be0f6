/**
 * Which kind of login a BlueKing user came by. A `bk_token` cookie yields BK, a `bk_ticket` cookie RTX; DATABASE is a
 * user of the application's own table. The numbers are the first two characters of every user id.
 */
export const ProviderType = { UIN: 1, RTX: 2, BK: 3, DATABASE: 9 } as const;
export type ProviderType = (typeof ProviderType)[keyof typeof ProviderType];

const KNOWN: ReadonlySet<number> = new Set(Object.values(ProviderType));

/** Whether a number read from a session or an id names a provider. */
export function isProviderType(value: unknown): value is ProviderType {
  return typeof value === "number" && KNOWN.has(value);
}
