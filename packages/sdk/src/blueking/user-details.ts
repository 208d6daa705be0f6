import { BoundedMap } from "./bounded-map.ts";
import { BkAuthError } from "./errors.ts";
import { asObject, parseObject } from "./json.ts";
import type { BkSettings } from "./options.ts";
import { ProviderType } from "./providers.ts";
import { pythonJson, withParameter } from "./transport.ts";
import { decodeUserId } from "./user-id.ts";
import { BkUserInfo, RtxUserInfo, type UserInfo } from "./user-info.ts";
import { fieldsOf, User } from "./users.ts";
import { codeOf } from "./verify-ticket.ts";

/** Holds the bodies of call C under the keys of bkpaas_auth, so that it may be the cache of a Django application. */
export interface DetailsCache {
  get(key: string): unknown | Promise<unknown>;
  set(key: string, value: unknown, ttlSeconds: number): void | Promise<void>;
  /** For `forgetUserDetails`. */
  delete?(key: string): void | Promise<void>;
}

const CALL_TIMEOUT_MS = 30_000;
const CACHED_USERS = 1_000;

interface Kind {
  readonly cachePrefix: string;
  readonly parameter: string;
  isOk(body: Record<string, unknown>): boolean;
  read(data: Record<string, unknown>): UserInfo;
}

const KINDS: Partial<Record<ProviderType, Kind>> = {
  [ProviderType.BK]: {
    cachePrefix: "bkauth::rests::get_bk_user_info::",
    parameter: "bk_username",
    isOk: (body) => body["code"] === 0,
    read: BkUserInfo.of,
  },
  [ProviderType.RTX]: {
    cachePrefix: "bkauth::rests::get_rtx_user_info::",
    parameter: "login_name",
    isOk: (body) => body["result"] === true,
    read: RtxUserInfo.of,
  },
};

/** Looks users up by their id. The users it returns are not signed in: they hold no token. */
export class UserDirectory {
  readonly #settings: BkSettings;
  readonly #cache: DetailsCache;
  /** Calls under way by key: who asks for the same user meanwhile waits for the same answer. */
  readonly #running = new Map<string, Promise<UserInfo>>();

  constructor(settings: BkSettings) {
    this.#settings = settings;
    this.#cache = settings.detailsCache ?? memoryCache(settings.clock);
  }

  /**
   * @param usernameOnly - false asks the service (or the cache) for the details as well.
   * @throws BkAuthError `user_id.invalid`; with details also `user.details_unsupported` (UIN, DATABASE, tenant mode),
   *   `configuration` (no `userInfoEndpoint`), `user.not_found`, `service.unavailable`.
   */
  async getUserByUserId(userId: string, usernameOnly = true): Promise<User> {
    const { provider, username } = decodeUserId(userId);
    if (username === "") throw new BkAuthError("user_id.invalid", "a user id names nobody");
    const { clock } = this.#settings;
    if (usernameOnly) return new User(provider, username, { clock });
    const info = await this.#details(provider, username);
    return new User(provider, info.username, { fields: fieldsOf(info), clock });
  }

  /** Removes a user's details from the cache, when the cache can do that. */
  async forgetUserDetails(userId: string): Promise<void> {
    const { provider, username } = decodeUserId(userId);
    const kind = KINDS[provider];
    if (kind !== undefined) await this.#cache.delete?.(kind.cachePrefix + username);
  }

  async #details(provider: ProviderType, username: string): Promise<UserInfo> {
    const kind = KINDS[provider];
    if (kind === undefined)
      throw new BkAuthError("user.details_unsupported", "this provider has no user details");
    if (this.#settings.multiTenant)
      throw new BkAuthError("user.details_unsupported", "tenant mode has no user details by name");
    const key = kind.cachePrefix + username;
    const cached = asObject(await this.#cached(key));
    const known = cached && infoIn(kind, cached, username);
    if (known !== undefined) return known;
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    const call = this.#ask(kind, username, key).finally(() => this.#running.delete(key));
    this.#running.set(key, call);
    return call;
  }

  async #ask(kind: Kind, username: string, key: string): Promise<UserInfo> {
    const body = await this.#fetch(kind, username);
    const info = infoIn(kind, body, username);
    if (info === undefined) throw new BkAuthError("user.not_found", "the service has no such user");
    await this.#store(key, body);
    return info;
  }

  async #fetch(kind: Kind, username: string): Promise<Record<string, unknown>> {
    const { userInfoEndpoint, app, transport, logger } = this.#settings;
    if (userInfoEndpoint === undefined || app === undefined)
      throw new BkAuthError("configuration", "user details need userInfoEndpoint, appCode and appSecret");
    const subject = { [kind.parameter]: username };
    const authorization = pythonJson({ ...subject, bk_app_code: app.code, bk_app_secret: app.secret });
    const unavailable = (what: string) => {
      logger.error(`user details: ${what}`);
      return new BkAuthError("service.unavailable", what);
    };
    const response = await transport({
      url: withParameter(userInfoEndpoint, kind.parameter, username),
      headers: { "X-Bkapi-Authorization": authorization },
      timeoutMs: CALL_TIMEOUT_MS,
    }).catch((error: unknown) => {
      throw unavailable(`the service cannot be reached (${codeOf(error)})`);
    });
    const body = parseObject(response.body);
    if (response.status >= 500 || response.status === 429 || body === undefined)
      throw unavailable(`the service gave no usable answer (status ${response.status})`);
    return body;
  }

  async #cached(key: string): Promise<unknown> {
    try {
      return await this.#cache.get(key);
    } catch {
      this.#settings.logger.warn("the cache of user details cannot be read");
      return undefined;
    }
  }

  async #store(key: string, body: Record<string, unknown>): Promise<void> {
    try {
      await this.#cache.set(key, body, this.#settings.detailsCacheSeconds);
    } catch {
      this.#settings.logger.warn("the cache of user details cannot be written");
    }
  }
}

/** The user a body tells of; undefined for a refusal, a body of another form, or another user than was asked for. */
function infoIn(kind: Kind, body: Record<string, unknown>, username: string): UserInfo | undefined {
  const data = kind.isOk(body) ? asObject(body["data"]) : undefined;
  if (data === undefined) return undefined;
  try {
    const info = kind.read(data);
    return info.username === username ? info : undefined;
  } catch (error) {
    if (error instanceof BkAuthError) return undefined;
    throw error;
  }
}

function memoryCache(clock: () => number): DetailsCache {
  const entries = new BoundedMap<unknown>(CACHED_USERS);
  return {
    get: (key) => entries.get(key, clock()),
    set: (key, value, ttlSeconds) => entries.set(key, value, clock() + ttlSeconds * 1000),
    delete: (key) => entries.delete(key),
  };
}
