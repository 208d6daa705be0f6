import { LateWrites } from "../../kernel/late-writes.ts";
import { type Deps, onePerServer } from "../deps.ts";
import { type Heartbeat, noteHeartbeats } from "./instance.store.ts";

/** Milliseconds that a heartbeat waits for others. A crash loses those; the next one of each comes in a minute. */
const DELAY_MILLISECONDS = 1_000;
/** Heartbeats of one statement. */
const GROUP = 2_000;

const waitingOf = onePerServer(
  (deps) =>
    new LateWrites<Heartbeat>(
      DELAY_MILLISECONDS,
      (heartbeats) => write(deps, heartbeats),
      (error) => deps.log.warn({ err: error }, "noting heartbeats failed"),
    ),
);

async function write({ database }: Deps, heartbeats: readonly Heartbeat[]): Promise<void> {
  for (let at = 0; at < heartbeats.length; at += GROUP) {
    await noteHeartbeats(database, heartbeats.slice(at, at + GROUP));
  }
}

type Instance = Pick<Heartbeat, "tenantId" | "serviceId" | "instanceId">;

function keyOf({ tenantId, serviceId, instanceId }: Instance): string {
  return JSON.stringify([tenantId, serviceId, instanceId]);
}

/** Notes that an instance is alive, with others' in one statement. */
export function noteHeartbeat(deps: Deps, heartbeat: Heartbeat): void {
  const waiting = waitingOf(deps);
  const key = keyOf(heartbeat);
  const before = waiting.pending(key);
  waiting.note(key, {
    ...heartbeat,
    ips: heartbeat.ips ?? before?.ips ?? null,
    port: heartbeat.port ?? before?.port ?? null,
    metadata: heartbeat.metadata ?? before?.metadata ?? null,
  });
}

/** Writes what waits; also for the end of the server. Never throws: the next heartbeats repeat what was lost. */
export async function finishHeartbeats(deps: Deps): Promise<void> {
  await waitingOf(deps).flush();
}

/** An instance that is registered or unregistered now: what it said before is past. */
export function forgetHeartbeat(deps: Deps, instance: Instance): void {
  waitingOf(deps).forget(keyOf(instance));
}
