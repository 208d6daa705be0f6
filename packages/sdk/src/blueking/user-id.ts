import { BkAuthError } from "./errors.ts";
import { isProviderType, type ProviderType } from "./providers.ts";

/** The public constant of bkpaas_auth: the id hides nothing, and nobody may be let in because of one. */
const KEY = new TextEncoder().encode("jdvoqu3o4");
/** What a Django column of 255 characters holds: two digits, then two hex digits for each byte. */
const MAX_USERNAME_BYTES = 126;
const SCHEDULE = keySchedule();

export interface DecodedUserId {
  provider: ProviderType;
  username: string;
}

/**
 * The `bkpaas_user_id` of a user: two decimal digits of the provider, then the lowercase hex of ARC4 over the UTF-8
 * bytes of the username. It is an encoding, not a secret: anybody can read it and make another.
 *
 * @param username - 0 to 126 bytes of UTF-8.
 * @throws BkAuthError `user_id.invalid` when the username is longer, or has half of a surrogate pair.
 * @example encodeUserId(ProviderType.BK, "admin"); // "0335cce79c92"
 */
export function encodeUserId(provider: ProviderType, username: string): string {
  if (!username.isWellFormed()) throw new BkAuthError("user_id.invalid", "a username is not valid Unicode");
  const bytes = new TextEncoder().encode(username);
  if (bytes.length > MAX_USERNAME_BYTES)
    throw new BkAuthError("user_id.invalid", `a username has at most ${MAX_USERNAME_BYTES} bytes`);
  let hex = "";
  for (const byte of arc4(bytes)) hex += byte.toString(16).padStart(2, "0");
  return String(provider).padStart(2, "0") + hex;
}

/**
 * The provider and the username of a `bkpaas_user_id`; hex digits of either case.
 *
 * @throws BkAuthError `user_id.invalid` for digits of no provider, an odd length, other characters than hex digits,
 *   bytes that are not UTF-8, or a username of more than 126 bytes.
 */
export function decodeUserId(userId: string): DecodedUserId {
  const [, digits, hex] = /^([0-9]{2})((?:[0-9a-f]{2}){0,126})$/i.exec(userId) ?? [];
  if (digits === undefined || hex === undefined)
    throw new BkAuthError("user_id.invalid", "a user id is two digits and an even number of hex digits");
  const provider = Number(digits);
  if (!isProviderType(provider))
    throw new BkAuthError("user_id.invalid", "a user id names no known provider");
  const bytes = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  try {
    return {
      provider,
      username: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(arc4(bytes)),
    };
  } catch (error) {
    throw new BkAuthError("user_id.invalid", "a user id holds no UTF-8", { cause: error });
  }
}

function keySchedule(): Uint8Array {
  const state = Uint8Array.from({ length: 256 }, (_, index) => index);
  let j = 0;
  for (let i = 0; i < 256; i++) {
    j = (j + (state[i] ?? 0) + (KEY[i % KEY.length] ?? 0)) & 255;
    swap(state, i, j);
  }
  return state;
}

/** ARC4 is its own inverse. Its state starts afresh for every id, so equal prefixes stay equal. */
function arc4(bytes: Uint8Array): Uint8Array {
  const state = SCHEDULE.slice();
  let y = 0;
  return bytes.map((byte, index) => {
    const x = (index + 1) & 255;
    y = (y + (state[x] ?? 0)) & 255;
    swap(state, x, y);
    return byte ^ (state[((state[x] ?? 0) + (state[y] ?? 0)) & 255] ?? 0);
  });
}

function swap(state: Uint8Array, a: number, b: number): void {
  const kept = state[a] ?? 0;
  state[a] = state[b] ?? 0;
  state[b] = kept;
}
