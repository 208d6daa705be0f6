import { type Deps, onePerServer, outsideTransaction } from "../deps.ts";
import { type Heartbeat, noteHeartbeats } from "./instance.store.ts";

/** Milliseconds that a heartbeat waits for others. A crash loses those; the next one of each comes in a minute. */
const DELAY_MILLISECONDS = 1_000;
/** Heartbeats of one statement. */
const GROUP = 2_000;

interface Group {
  waiting: Map<string, Heartbeat>;
  timer: NodeJS.Timeout | undefined;
  running: Promise<void>;
}

const groupOf = onePerServer(
  (): Group => ({ waiting: new Map(), timer: undefined, running: Promise.resolve() }),
);

/** Notes that an instance is alive, with others' in one statement. */
export function noteHeartbeat(joined: Deps, heartbeat: Heartbeat): void {
  const group = groupOf(joined);
  const key = JSON.stringify([heartbeat.tenantId, heartbeat.serviceId, heartbeat.instanceId]);
  const before = group.waiting.get(key);
  group.waiting.set(key, {
    ...heartbeat,
    ips: heartbeat.ips ?? before?.ips ?? null,
    port: heartbeat.port ?? before?.port ?? null,
    metadata: heartbeat.metadata ?? before?.metadata ?? null,
  });
  if (group.timer) return;
  const deps = outsideTransaction(joined);
  group.timer = setTimeout(() => void finishHeartbeats(deps), DELAY_MILLISECONDS);
  group.timer.unref();
}

/** Writes what waits; also for the end of the server. Never throws: the next heartbeats repeat what was lost. */
export async function finishHeartbeats(joined: Deps): Promise<void> {
  const deps = outsideTransaction(joined);
  const group = groupOf(deps);
  clearTimeout(group.timer);
  group.timer = undefined;
  const heartbeats = [...group.waiting.values()];
  group.waiting = new Map();
  group.running = group.running.then(async () => {
    for (let at = 0; at < heartbeats.length; at += GROUP) {
      await noteHeartbeats(deps.database, heartbeats.slice(at, at + GROUP)).catch((error: unknown) =>
        deps.log.warn({ err: error }, "noting heartbeats failed"),
      );
    }
  });
  await group.running;
}

/** An instance that is registered or unregistered now: what it said before is past. */
export function forgetHeartbeat(deps: Deps, tenantId: string, serviceId: string, instanceId: string): void {
  groupOf(deps).waiting.delete(JSON.stringify([tenantId, serviceId, instanceId]));
}
