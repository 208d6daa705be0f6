import { spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { EmbeddedPostgresError } from "./errors.ts";

/** The operating-system account PostgreSQL runs under. */
export interface Account {
  uid: number;
  gid: number;
  name: string;
  /** True when this process is root and has to hand files over and change the user. */
  switched: boolean;
}

/**
 * Chooses the account. PostgreSQL refuses to run as root, so root hands over to an account that exists already: the
 * owner of `existingData` when there is some (an account made later must not lock us out of the data), else
 * `postgres`, else `nobody`, else any other with an entry.
 *
 * @throws EmbeddedPostgresError when root finds no account.
 */
export function chooseAccount(existingData: string): Account {
  const uid = process.getuid?.() ?? -1;
  if (uid !== 0) return { uid, gid: process.getgid?.() ?? -1, name: `uid ${uid}`, switched: false };
  const entries = passwdEntries();
  const owner = statSync(existingData, { throwIfNoEntry: false })?.uid;
  const chosen =
    entries.find((entry) => entry.uid === owner) ??
    entries.find((entry) => entry.name === "postgres") ??
    entries.find((entry) => entry.name === "nobody") ??
    entries[0];
  if (!chosen)
    throw new EmbeddedPostgresError(
      "PostgreSQL refuses to run as root and this machine has no other account. Add one (useradd --system postgres), or name an existing database in DATABASE_URL.",
    );
  return { ...chosen, switched: true };
}

/** The unprivileged entries of /etc/passwd. PostgreSQL accepts no uid without one. */
function passwdEntries(): { name: string; uid: number; gid: number }[] {
  return readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"))
    .map(([name = "", , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
    .filter(({ name, uid, gid }) => name !== "" && Number.isInteger(uid) && uid > 0 && Number.isInteger(gid));
}

/** What `child_process` needs to run something as the account, in a bare environment. */
export function runAs(account: Account): { uid?: number; gid?: number; cwd: string; env: NodeJS.ProcessEnv } {
  return {
    ...(account.switched ? { uid: account.uid, gid: account.gid } : {}),
    cwd: "/", // ours may be out of the account's reach
    env: { PATH: process.env.PATH, LC_ALL: "C", TZ: "UTC" }, // no PGDATA, PGPORT, LD_LIBRARY_PATH of the shell
  };
}

/** Whether the account can go into the directory. Asks the kernel, as modes alone do not tell (ACLs, mounts). */
export function canEnter(account: Account, directory: string): boolean {
  if (!account.switched) return true;
  const answer = spawnSync("/bin/sh", ["-c", 'cd -- "$1"', "sh", directory], {
    ...runAs(account),
    stdio: "ignore",
  });
  return answer.status === 0;
}
