import { expect, it, vi } from "vitest";
import { type LatestTime, LatestTimes } from "./latest-times.ts";

const at = (second: number) => new Date(second * 1000);

it("hands over the latest time of each thing, in one group", async () => {
  const groups: (readonly LatestTime[])[] = [];
  const times = new LatestTimes(
    5,
    async (group) => void groups.push(group),
    () => {},
  );
  times.note("t", "a", at(1));
  times.note("t", "a", at(2));
  times.note("t", "b", at(1));
  await vi.waitFor(() => expect(groups).toHaveLength(1));
  expect(groups[0]).toEqual([
    { tenantId: "t", id: "a", at: at(2) },
    { tenantId: "t", id: "b", at: at(1) },
  ]);
  await times.flush();
  expect(groups).toHaveLength(1);
});

it("reports a failed write and goes on", async () => {
  const errors: unknown[] = [];
  let fails = true;
  const times = new LatestTimes(
    60_000,
    async () => {
      if (fails) throw new Error("down");
    },
    (error) => void errors.push(error),
  );
  times.note("t", "a", at(1));
  await times.flush();
  fails = false;
  times.note("t", "a", at(2));
  await times.flush();
  expect(errors).toHaveLength(1);
});
