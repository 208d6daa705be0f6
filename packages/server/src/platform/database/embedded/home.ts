import { createHash } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { type Account, canEnter, chooseAccount } from "./account.ts";
import { EmbeddedPostgresError, errorCode } from "./errors.ts";

/** Where things go when the unprivileged account cannot reach the wanted place. Root may always write here. */
const SHARED_PLACE = "/var/lib/ostiary";

/** The longest path of a Unix socket is 107 bytes (unix(7); 103 on macOS); `/.s.PGSQL.5432` takes 14 of them. */
const LONGEST_SOCKET_DIRECTORY = (process.platform === "linux" ? 107 : 103) - "/.s.PGSQL.5432".length;

/**
 * The folders of one embedded database. `root` belongs to us, so that root never writes where the unprivileged
 * account could have laid a symlink; `cluster`, `log` and `socket` belong to the account, mode 0700.
 */
export interface Home {
  account: Account;
  root: string;
  /** PostgreSQL's data directory (PGDATA). */
  cluster: string;
  log: string;
  /** Holds the socket; short enough for its path. */
  socket: string;
  /** A place for a copy of the programs that the account reaches. */
  spare: string;
}

/**
 * Makes the folders under `<dataDirectory>/postgres`, or, when PostgreSQL's account cannot get there (a clone below
 * /root), in /var/lib/ostiary/<hash> with a symlink in the data directory. Repeating it changes nothing.
 *
 * @throws EmbeddedPostgresError when something cannot be written or belongs to somebody else.
 */
export function prepareHome(dataDirectory: string, log: (message: string) => void): Home {
  return explained(dataDirectory, () => prepare(dataDirectory, log));
}

/**
 * Makes the data directory itself, so that it can be locked.
 *
 * @returns its real path.
 * @throws EmbeddedPostgresError when it cannot be made.
 */
export function makeDataDirectory(dataDirectory: string): string {
  return explained(dataDirectory, () => {
    mkdirSync(dataDirectory, { recursive: true, mode: 0o711 });
    return realpathSync(dataDirectory);
  });
}

function explained<T>(dataDirectory: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const code = errorCode(error) ?? "";
    if (!["EACCES", "EPERM", "EROFS", "ENOSPC", "EDQUOT", "ENOTDIR", "EEXIST"].includes(code)) throw error;
    throw new EmbeddedPostgresError(
      `The data directory ${resolve(dataDirectory)} cannot be written by uid ${process.getuid?.()} (${String(error)}). Give it to that user, make room, or choose another with OSTIARY_DATA_DIRECTORY.`,
      { cause: error },
    );
  }
}

function prepare(dataDirectory: string, log: (message: string) => void): Home {
  const link = join(dataDirectory, "postgres");
  const account = chooseAccount(join(link, "cluster"));
  if (account.switched) letThrough(dataDirectory);
  checkNotDangling(link);
  if (!existsSync(link) && !canEnter(account, dataDirectory)) relocate(dataDirectory, link, account, log);
  makeDirectory(link, 0o711);
  const root = realpathSync(link);
  if (!canEnter(account, root)) relocateNever(root, account);
  const home = { account, root, cluster: join(root, "cluster"), log: join(root, "log") };
  makeOwned(home.log, account);
  checkOwner(home.cluster, account);
  const socket = socketDirectory(root);
  makeOwned(socket, account);
  return { ...home, socket, spare: account.switched ? SHARED_PLACE : root };
}

/** Root made this directory for us, perhaps with mkdtemp (0700): the account has to get through it, not to read it. */
function letThrough(directory: string): void {
  const { mode, uid } = statSync(directory);
  if (uid === 0 && (mode & 0o011) !== 0o011) chmodSync(directory, (mode & 0o7777) | 0o011);
}

function relocate(
  dataDirectory: string,
  link: string,
  account: Account,
  log: (message: string) => void,
): void {
  const name = createHash("sha256").update(link).digest("hex").slice(0, 16);
  const place = join(SHARED_PLACE, name);
  mkdirSync(SHARED_PLACE, { recursive: true, mode: 0o755 });
  // The link is gone and its target is not: somebody deleted the data directory to begin anew. Keep, do not revive.
  if (existsSync(place)) renameSync(place, `${place}.left-${new Date().toISOString().replaceAll(/\D/g, "")}`);
  makeDirectory(place, 0o711);
  symlinkSync(place, link);
  log(
    `the account ${account.name} cannot reach ${dataDirectory}; the database is kept in ${place}, linked from ${link}`,
  );
}

function checkNotDangling(link: string): void {
  if (existsSync(link) || !lstatSync(link, { throwIfNoEntry: false })) return;
  throw new EmbeddedPostgresError(
    `The database should be in ${readlinkSync(link)}, and that is not there. Bring it back (is a volume not mounted?), or remove ${link} to begin anew.`,
  );
}

function relocateNever(root: string, account: Account): never {
  throw new EmbeddedPostgresError(
    `The account ${account.name}, under which PostgreSQL has to run, cannot reach the existing database in ${root}. Make every folder above it passable (chmod o+x), or move the data directory.`,
  );
}

function makeDirectory(path: string, mode: number): void {
  if (existsSync(path)) return;
  try {
    mkdirSync(path, { mode });
    chmodSync(path, mode); // the umask may have taken bits away
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error; // another process was quicker
  }
}

/** Makes a 0700 directory of the account's; repairs one that root made before. */
function makeOwned(path: string, account: Account): void {
  makeDirectory(path, 0o700);
  const found = lstatSync(path);
  if (!found.isDirectory())
    throw new EmbeddedPostgresError(`${path} is not a directory. Remove it, then start again.`);
  if (account.switched && found.uid === 0) chownSync(path, account.uid, account.gid);
  else checkOwner(path, account);
}

function checkOwner(path: string, account: Account): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found && found.uid !== account.uid)
    throw new EmbeddedPostgresError(
      `${path} belongs to uid ${found.uid}, and PostgreSQL would run as ${account.name}. Start as the user who owns it, or give it away: chown -R.`,
    );
}

/** Beside the data when the path is short enough; else in /tmp, under a name that only this very directory has. */
function socketDirectory(root: string): string {
  const beside = join(root, "socket");
  // PostgreSQL reads the setting as a comma-separated list.
  if (Buffer.byteLength(beside) <= LONGEST_SOCKET_DIRECTORY && !/[,'"\\\n]/.test(beside)) return beside;
  const { dev, ino, birthtimeMs } = statSync(root);
  const name = createHash("sha256").update(`${dev} ${ino} ${birthtimeMs}`).digest("hex").slice(0, 16);
  return join("/tmp", `ostiary-${name}`);
}

/** Makes the folder of the socket again if something (a cleaner of /tmp) has removed it. */
export function remakeSocketDirectory(home: Home): void {
  makeOwned(home.socket, home.account);
}

/** What the server has said at its latest start, before its own log took over. */
export function startOutput(home: Home): string {
  return readFileSync(join(home.root, "startup.log"), "utf8").trim();
}

/** The last lines PostgreSQL has written, for a message: from its log, then from its latest start. */
export function lastLogLines(home: Home): string {
  const newest = readdirSync(home.log)
    .map((name) => join(home.log, name))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0];
  const log = newest === undefined ? "" : readFileSync(newest, "utf8").trim();
  return [log, startOutput(home)].flatMap((text) => text.split("\n").slice(-4)).join(" | ");
}
