import pino from "pino";
import { expect, it } from "vitest";
import { requestLogger } from "./request-logger.ts";

it("writes the request's lines with its trace id, and makes nothing while there are none", () => {
  const lines: string[] = [];
  const root = pino({ level: "info", base: null, timestamp: false }, { write: (line) => lines.push(line) });
  let children = 0;
  const counting = Object.assign(Object.create(root) as typeof root, {
    child: (...args: Parameters<typeof root.child>) => {
      children++;
      return root.child(...args);
    },
  });
  const log = requestLogger(counting, { reqId: "t1" });
  expect([log.level, children]).toEqual(["info", 0]);
  log.debug("not this one");
  log.info({ a: 1 }, "said");
  log.child({ b: 2 }).error("said too");
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { level: 30, reqId: "t1", a: 1, msg: "said" },
    { level: 50, reqId: "t1", b: 2, msg: "said too" },
  ]);
  expect(children).toBe(1);
});
