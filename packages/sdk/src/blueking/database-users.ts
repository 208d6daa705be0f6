import type { BkLogger } from "./log.ts";
import type { LoginToken } from "./login-token.ts";
import type { ProviderType } from "./providers.ts";
import type { User } from "./users.ts";

/** What a new row is made of. `email` is "" where the service tells none. */
export interface NewDatabaseUser {
  username: string;
  email: string;
  isActive: boolean;
  isStaff: boolean;
  isSuperuser: boolean;
}

/** The application's own table of users. */
export interface DatabaseUsers<Row extends object> {
  /** The row of exactly this username. Called for every request of a signed-in user. */
  find(username: string): Promise<Row | undefined>;
  /**
   * Makes the row, or returns the one that another request made meanwhile. Leave it out to let in only users who are
   * there already.
   */
  create?(user: NewDatabaseUser): Promise<Row>;
  /** Called once for a row that was just made; returns the row as it is then. */
  configureUser?(row: Row, user: User): Promise<Row>;
}

/** What a row is given so that it can stand where a `User` does. */
export interface BkAttributes {
  providerType: ProviderType;
  bkpaasUserId: string;
  token: LoginToken | null;
  displayName: string | null;
  tenantId: string | null;
  timeZone: string | null;
}

/** The row of a verified user, found or made, with the attributes of the login. undefined: there is none, none is made. */
export async function connectUser<Row extends object>(
  users: DatabaseUsers<Row>,
  user: User,
  superusers: ReadonlySet<string>,
  logger: BkLogger,
): Promise<(Row & BkAttributes) | undefined> {
  const row = (await users.find(user.username)) ?? (await createRow(users, user, superusers, logger));
  if (row === undefined) return undefined;
  return Object.assign(row, {
    providerType: user.providerType,
    bkpaasUserId: user.bkpaasUserId,
    token: user.token,
    displayName: user.displayName,
    tenantId: user.tenantId,
    timeZone: user.timeZone,
  });
}

async function createRow<Row extends object>(
  users: DatabaseUsers<Row>,
  user: User,
  superusers: ReadonlySet<string>,
  logger: BkLogger,
): Promise<Row | undefined> {
  if (users.create === undefined) {
    logger.warn("a verified user has no row in the application's table, and none is created");
    return undefined;
  }
  const isSuperuser = superusers.has(user.username);
  const { username, email } = user;
  const row = await users.create({
    username,
    email: email ?? "",
    isActive: true,
    isStaff: isSuperuser,
    isSuperuser,
  });
  logger.info?.("a row was created for a verified user");
  return users.configureUser === undefined ? row : await users.configureUser(row, user);
}
