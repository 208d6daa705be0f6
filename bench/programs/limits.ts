/** One step alone, without HTTP and without rules: what no product built on it can exceed. */
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { availableParallelism } from "node:os";
import { createPasswordHasher } from "../../packages/server/src/domain/credentials/password-hasher.ts";
import { connect } from "../../packages/server/src/platform/database/pool.ts";
import { answerEach, tell } from "../child.ts";
import type { LimitOrder, LimitResult } from "../limits.ts";

/** A protected header and the claims of an access token. */
const TOKEN_BYTES = 560;

type Operation = () => Promise<void> | void;

/** Runs `lanes` loops of an operation until the time is over. */
async function repeat(
  makeOperation: (lane: number) => Operation,
  lanes: number,
  seconds: number,
): Promise<LimitResult> {
  const end = performance.now() + seconds * 1000;
  const began = performance.now();
  let operations = 0;
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      const operate = makeOperation(lane);
      while (performance.now() < end) {
        await operate();
        operations++;
      }
    }),
  );
  return { operations, seconds: (performance.now() - began) / 1000 };
}

/** Parameters and pool are the server's; more lanes than places in it, as there. */
function argon2id(): (lane: number) => Operation {
  const password = "correct horse battery staple";
  const hasher = createPasswordHasher();
  const stored = hasher.hash(password);
  return () => async () => {
    if (!(await hasher.verify(await stored, password)).ok) throw new Error("the password did not fit");
  };
}

/** As many as sign-ins run at once in the load generator. */
const PASSWORD_LANES = 8;

function signing(algorithm: "ES256" | "RS256"): (lane: number) => Operation {
  const bytes = Buffer.alloc(TOKEN_BYTES, 97);
  if (algorithm === "ES256") {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    return () => () => void sign("sha256", bytes, privateKey);
  }
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return () => () => signAside(bytes, privateKey);
}

function signAside(bytes: Buffer, key: KeyObject): Promise<void> {
  return new Promise((resolve, reject) => {
    sign("sha256", bytes, key, (error) => (error ? reject(error) : resolve()));
  });
}

/** A rotation as one statement of one row: what the server's, of many rows, does for each of them. */
const ROTATE = `
  update token_families set generation = generation + 1, rotated_at = $5, refresh_expires_at = $6,
         expires_at = greatest(expires_at, $7)
   where tenant_id = $1 and id = $2 and application_id = $3 and generation = $4
     and revoked_at is null and refresh_expires_at > $5 and scopes @> $8
   returning id, application_id as "applicationId", user_id as "userId", session_id as "sessionId", scopes, details,
             authenticated_at as "authenticatedAt", generation`;

/** The statement alone, on as many connections as the server has. Each lane has families of its own. */
function rotation({ database, tenantId, applicationId, families }: NonNullable<LimitOrder["rotation"]>) {
  const pool = connect({ connection: database, poolSize: ROTATION_LANES, onError: () => {} });
  return (lane: number): Operation => {
    const own = families.filter((_, index) => index % ROTATION_LANES === lane);
    let at = 0;
    return async () => {
      const family = own[at++ % own.length];
      if (!family) throw new Error("a lane without families");
      const now = new Date();
      const [rotated] = await pool.query(ROTATE, [
        tenantId,
        family.id,
        applicationId,
        family.generation++,
        now,
        new Date(now.getTime() + 86_400_000),
        new Date(Math.ceil(now.getTime() / 86_400_000 + 2) * 86_400_000),
        [],
      ]);
      if (!rotated) throw new Error(`family ${family.id} was not rotated`);
    };
  };
}

const ROTATION_LANES = 10;

function makeLimit(order: LimitOrder): { make: (lane: number) => Operation; lanes: number } {
  const cores = Math.min(availableParallelism(), 3);
  if (order.limit === "argon2id") return { make: argon2id(), lanes: PASSWORD_LANES };
  if (order.limit === "rotation" && order.rotation) {
    return { make: rotation(order.rotation), lanes: ROTATION_LANES };
  }
  if (order.limit === "ES256" || order.limit === "RS256") {
    return { make: signing(order.limit), lanes: order.limit === "ES256" ? 1 : cores };
  }
  throw new Error(`no limit ${order.limit}`);
}

let made: ReturnType<typeof makeLimit> | undefined;

answerEach<LimitOrder | { seconds: number }>(async (message) => {
  if ("limit" in message) {
    made = makeLimit(message);
    return { ready: true };
  }
  if (!made) throw new Error("no limit was chosen");
  return repeat(made.make, made.lanes, message.seconds);
});
tell({ ready: true });
