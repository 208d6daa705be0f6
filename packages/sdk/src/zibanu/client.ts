import { dataUrlOf } from "./avatar.ts";
import type { ZibanuEvents } from "./events.ts";
import { type Credentials, SignIn, type SignInOptions } from "./sign-in.ts";
import type { ZibanuSession } from "./token.ts";
import type {
  DialCode,
  Group,
  GroupLevel,
  Languages,
  NewUser,
  OwnProfile,
  Permission,
  ProfileChange,
  UserChange,
  UserDetails,
  UserFields,
  UserOrder,
  UserSummary,
} from "./wire.ts";

export interface ZibanuOptions extends SignInOptions {
  /**
   * The version the server speaks. `3.0` has `menu` and the code of `requestPassword`; errors are told in the same kinds
   * for both. Default `1.1`.
   */
  compat?: "1.1" | "3.0";
  /** Where the lists of time zones, languages and dial codes are. Default: `utils/` beside or below the services. */
  utilitiesUrl?: string;
}

/**
 * The sixteen Zibanu services, for browsers and Node. Every method throws `ZibanuError`; what needs a sign-in throws kind
 * `token` when there is none, and keeps the token fresh by itself.
 */
export class ZibanuClient {
  readonly #signIn: SignIn;
  readonly #options: ZibanuOptions;

  /** @throws TypeError when `baseUrl` is no absolute address. */
  constructor(options: ZibanuOptions) {
    this.#signIn = new SignIn(options);
    this.#options = options;
  }

  /** @throws ZibanuError `credentials`; `session_open` when another session is open and `close` was not given. */
  login(credentials: Credentials): Promise<ZibanuSession> {
    return this.#signIn.login(credentials);
  }

  /** Signs out here and at the server; does nothing for nobody. */
  logout(): Promise<void> {
    return this.#signIn.logout();
  }

  /** Exchanges the token now; not needed before calls. */
  refresh(): Promise<ZibanuSession> {
    return this.#signIn.refresh();
  }

  /** Who is signed in here, as the token says; undefined for nobody. Asks no server. */
  session(): Promise<ZibanuSession | undefined> {
    return this.#signIn.session();
  }

  /** @returns what ends the listening. */
  on<Name extends keyof ZibanuEvents>(name: Name, listener: (value: ZibanuEvents[Name]) => void): () => void {
    return this.#signIn.listeners.on(name, listener);
  }

  /** Ends the timer of `keepAlive`. */
  stop(): void {
    this.#signIn.stop();
  }

  /** @throws ZibanuError `validation`: the old one is wrong, both are the same, or the new one is too weak. */
  async changePassword(passwords: { oldPassword: string; newPassword: string }): Promise<void> {
    const { oldPassword, newPassword } = passwords;
    await this.#signIn.call("change-password/", { old_password: oldPassword, new_password: newPassword });
  }

  /**
   * Asks for a new password by mail. In 3.0 without a code it sends the code, with one what leads to the password; Ostiary
   * takes the new password itself beside the code.
   *
   * @throws ZibanuError `validation` for an unknown address, where the server tells that, and for a wrong code.
   */
  async requestPassword(email: string, code?: string, newPassword?: string): Promise<void> {
    if (code !== undefined) this.#only3("the code of requestPassword");
    await this.#signIn.transport.post("request-password/", {
      email,
      ...(code === undefined ? {} : { code }),
      ...(newPassword === undefined ? {} : { new_password: newPassword }),
    });
  }

  readonly users = {
    /**
     * Active users of the caller's level or a lower one, by first name. In 3.0 by any field, downwards after a minus.
     *
     * @throws ZibanuError `validation` for a field that users have not.
     */
    list: async (orderBy?: UserOrder): Promise<UserSummary[]> => {
      if (orderBy === undefined) return list(await this.#signIn.call("user/list/"));
      this.#only3("the order of users");
      return list(await this.#signIn.call("user/list/", { order_by: orderBy }));
    },

    /** @throws ZibanuError `not_found` */
    retrieve: async (id: number): Promise<UserDetails> =>
      (await this.#signIn.call("user/retrieve/", { pk: id })) as UserDetails,

    /** @throws ZibanuError `validation`, with `fields`. */
    add: async (user: NewUser): Promise<UserSummary> =>
      (await this.#signIn.call("user/add/", withIds(user))) as UserSummary,

    /** Roles and permissions that are given replace the sets; null or nothing leaves them. */
    update: async (change: UserChange): Promise<UserDetails> =>
      (await this.#signIn.call("user/update/", withIds(change))) as UserDetails,

    /** By id, or by the exact address. */
    delete: async (user: number | string): Promise<void> => {
      await this.#signIn.call("user/delete/", typeof user === "number" ? { id: user } : { email: user });
    },
  };

  readonly profile = {
    /** The signed-in user's own; null for a user who has none. */
    get: async (): Promise<OwnProfile | null> =>
      ((await this.#signIn.call("user/profile/")) as OwnProfile | undefined) ?? null,

    /** Changes the fields that are given. */
    update: async (change: ProfileChange): Promise<void> => {
      await this.#signIn.call("profile/update/", change);
      this.#signIn.listeners.tell("profile", change);
    },

    /** A data URL or an address, as the server is set up; null for none. */
    avatar: async (): Promise<string | null> => {
      const avatar = await this.#signIn.call("user/avatar/");
      return typeof avatar === "string" && avatar !== "" ? avatar : null;
    },

    /** PNG, JPEG, GIF or WebP; null takes the picture away. The server limits bytes and pixels. */
    setAvatar: async (image: Uint8Array | Blob | null): Promise<void> => {
      await this.profile.update({ avatar: image === null ? "" : await dataUrlOf(image) });
    },
  };

  readonly groups = {
    /** Groups of the caller's level or a lower one. */
    list: async (): Promise<Group[]> => list(await this.#signIn.call("group/list/")),
    levels: async (): Promise<GroupLevel[]> => list(await this.#signIn.call("grouplevel/list/")),
  };

  readonly permissions = {
    list: async (): Promise<Permission[]> => list(await this.#signIn.call("permission/list/")),
  };

  readonly utilities = {
    timeZones: async (): Promise<string[]> =>
      ((await this.#utility("timezone/list/")) as { timezones: string[] }).timezones,
    languages: async (): Promise<Languages> => (await this.#utility("language/list/")) as Languages,
    dialCodes: async (): Promise<DialCode[]> => list(await this.#utility("dial_codes/list/")),
  };

  /**
   * The menu of an application; 3.0 only. Its shape is the application's own.
   *
   * @throws ZibanuError `validation` or `not_found`
   */
  menu(appId: number | string): Promise<unknown> {
    this.#only3("menu");
    return this.#signIn.call("menu/", { app_id: appId });
  }

  #utility(path: string): Promise<unknown> {
    const base = this.#options.utilitiesUrl ?? "utils/";
    return this.#signIn.call(base.replace(/\/*$/, "/") + path);
  }

  #only3(what: string): void {
    if (this.#options.compat !== "3.0") throw new TypeError(`${what} needs compat "3.0"`);
  }
}

/**
 * A client of the Zibanu services.
 *
 * @example
 * const client = createZibanuClient({ baseUrl: "https://id.example.com/zibanu/" });
 * await client.login({ email, password });
 * const people = await client.users.list();
 */
export function createZibanuClient(options: ZibanuOptions): ZibanuClient {
  return new ZibanuClient(options);
}

/** An empty list is an empty body in some services. */
const list = <T>(value: unknown): T[] => (Array.isArray(value) ? value : []);

/** Roles are read as objects and written as ids; both are taken here. */
function withIds<T extends UserFields>(user: T): T {
  if (!user.roles) return user;
  return { ...user, roles: user.roles.map((role) => (typeof role === "number" ? role : role.id)) };
}
