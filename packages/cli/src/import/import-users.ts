import type { CreateUser, UpdateUser, User } from "@ostiary/contracts";
import type { Client } from "../client.ts";
import { Failure } from "../failure.ts";

/** A user as another system has it. */
export interface WantedUser {
  /** Where it stands in the file, for the report. */
  row: number;
  /** How the other system names it: a second import finds it by this. */
  externalId: string;
  username: string;
  /** Of a creation; what a change leaves out stays as it is. */
  values: CreateUser & UpdateUser;
}

export interface Refusal {
  row: number;
  username: string;
  reason: string;
}

/** What an import of users comes to. */
export interface UsersResult {
  created: number;
  updated: number;
  unchanged: number;
  refused: Refusal[];
  /** Ids by external id; of users that would be created only in a dry run: none. */
  ids: Map<string, string>;
}

/** Users of one request: all of them are written, or none. */
const BATCH = 200;

/** More than any installation has. */
const EVERYBODY = 10_000_000;

type Step =
  | { op: "create"; wanted: WantedUser; value: CreateUser }
  | { op: "update"; wanted: WantedUser; id: string; value: UpdateUser };

/**
 * Makes users what the file says: those that are not there are created, those that differ changed, the others left.
 * Nobody is deleted. A batch with a user that is refused is halved until he stands alone, so the rest gets in.
 *
 * @param progress - called after each batch.
 */
export async function importUsers(
  client: Client,
  wanted: readonly WantedUser[],
  options: { dryRun: boolean; progress(done: number, all: number): void },
): Promise<UsersResult> {
  const existing = await client.list<User>("/users", {}, EVERYBODY);
  const result: UsersResult = { created: 0, updated: 0, unchanged: 0, refused: [], ids: new Map() };
  const steps = plan(existing, wanted, result);
  for (let at = 0; at < steps.length; at += BATCH) {
    const batch = steps.slice(at, at + BATCH);
    if (options.dryRun) for (const step of batch) count(result, step);
    else await write(client, batch, result);
    options.progress(Math.min(at + BATCH, steps.length), steps.length);
  }
  result.refused.sort((a, b) => a.row - b.row);
  return result;
}

function plan(existing: readonly User[], wanted: readonly WantedUser[], result: UsersResult): Step[] {
  const byExternalId = new Map(existing.map((user) => [user.externalId, user]));
  const owners = { username: new Map<string, string>(), email: new Map(), phone: new Map() };
  for (const user of existing) claim(owners, user, user.id);
  const byUsername = new Map(existing.map((user) => [user.username?.toLowerCase(), user]));
  const steps: Step[] = [];
  for (const one of wanted) {
    const known = byExternalId.get(one.externalId) ?? byUsername.get(one.username.toLowerCase());
    const me = known?.id ?? one.externalId;
    const reason =
      known && known.externalId !== null && known.externalId !== one.externalId
        ? "the username belongs to a user from elsewhere"
        : claim(owners, one.values, me);
    if (reason !== undefined) {
      result.refused.push({ row: one.row, username: one.username, reason });
      continue;
    }
    const step = known ? changeOf(known, one) : ({ op: "create", wanted: one, value: one.values } as const);
    if (known) result.ids.set(one.externalId, known.id);
    if (step) steps.push(step);
    else result.unchanged++;
  }
  return steps;
}

type Owners = Record<"username" | "email" | "phone", Map<string, string>>;

/** Identifiers are unique in a tenant, in any case. @returns what is taken by somebody else. */
function claim(
  owners: Owners,
  values: { username?: string | null; email?: string | null; phone?: string | null },
  me: string,
): string | undefined {
  const names = ["username", "email", "phone"] as const;
  for (const name of names) {
    const owner = owners[name].get(values[name]?.toLowerCase() ?? "");
    if (owner !== undefined && owner !== me) return `the ${name} is somebody else's too`;
  }
  for (const name of names) {
    const value = values[name]?.toLowerCase();
    if (value) owners[name].set(value, me);
  }
  return undefined;
}

/** What has to change of a user who is there; undefined: nothing. */
function changeOf(known: User, wanted: WantedUser): Step | undefined {
  // A password may have been changed here, and only a creation can bring one.
  const { registerSource: _source, password: _password, ...values } = wanted.values;
  const present = known as unknown as Record<string, unknown>;
  const value: Record<string, unknown> = {};
  for (const [name, want] of Object.entries(values)) {
    const have = present[name];
    if (isObject(want)) {
      const differing = Object.entries(want).filter(
        ([key, inner]) => JSON.stringify(inner) !== JSON.stringify(isObject(have) ? have[key] : undefined),
      );
      if (differing.length > 0) value[name] = Object.fromEntries(differing);
    } else if (want !== have) value[name] = want;
  }
  if (Object.keys(value).length === 0) return undefined;
  return { op: "update", wanted, id: known.id, value };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** Writes the steps in one request; on a refusal by halves. */
async function write(client: Client, steps: readonly Step[], result: UsersResult): Promise<void> {
  const operations = steps.map((step) =>
    step.op === "create"
      ? { op: step.op, value: step.value }
      : { op: step.op, id: step.id, value: step.value },
  );
  try {
    const { results } = await client.call<{ results: (User | null)[] }>("POST", "/users/bulk", {
      operations,
    });
    for (const [index, step] of steps.entries()) {
      count(result, step);
      const id = results[index]?.id;
      if (id !== undefined) result.ids.set(step.wanted.externalId, id);
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const [only] = steps;
    if (steps.length === 1 && only) {
      const { row, username } = only.wanted;
      result.refused.push({ row, username, reason: sentenceOf(error) });
      return;
    }
    const half = Math.ceil(steps.length / 2);
    await write(client, steps.slice(0, half), result);
    await write(client, steps.slice(half), result);
  }
}

/** The server's words in one line, without the place in our request. */
function sentenceOf(error: Failure): string {
  return error.message.replaceAll(/\s+/g, " ").replaceAll("/operations/0/value/", "");
}

function count(result: UsersResult, step: Step): void {
  if (step.op === "create") result.created++;
  else result.updated++;
}
