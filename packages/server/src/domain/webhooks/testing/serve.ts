// A process that delivers until it is killed. Arguments: connection, and how many users it makes, as JSON.
import { AdjustableClock } from "../../../kernel/clock.ts";
import { ChangeListenerConnection } from "../../../platform/database/listener.ts";
import { connect } from "../../../platform/database/pool.ts";
import { contextOf, QUIET, testDeps } from "../../../testing/test-deps.ts";
import { ensureDefaultTenant } from "../../tenants/index.ts";
import { createUser } from "../../users/index.ts";
import { startDeliveries } from "../index.ts";

const { connection, users, prefix } = JSON.parse(process.argv[2] ?? "{}") as {
  connection: { host: string; port: number; user: string; database: string };
  users: number;
  prefix: string;
};
const database = connect({ connection, poolSize: 6, onError: () => {} });
const deps = testDeps(database, { clock: new AdjustableClock() });
await new ChangeListenerConnection(connection, deps.feed, QUIET).open();
startDeliveries(deps);
const tenant = await ensureDefaultTenant(deps);
for (let n = 0; n < users; n++) {
  await createUser(deps, contextOf(tenant.id), { username: `${prefix}-${n}` });
  process.stdout.write(`${n}\n`); // committed: it must be delivered, whatever happens to us
}
setInterval(() => {}, 60_000);
