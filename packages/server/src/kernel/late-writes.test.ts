import { expect, it, vi } from "vitest";
import { LateWrites } from "./late-writes.ts";

interface Note {
  id: string;
  second: number;
}

/** What was handed over, group by group. */
function collecting(delayMilliseconds: number) {
  const groups: (readonly Note[])[] = [];
  const late = new LateWrites<Note>(
    delayMilliseconds,
    async (group) => void groups.push(group),
    () => {},
  );
  const note = (id: string, second: number) => late.note(id, { id, second });
  return { groups, late, note };
}

it("hands over the latest of each thing, in one group", async () => {
  const { groups, late, note } = collecting(5);
  note("a", 1);
  note("a", 2);
  note("b", 1);
  expect(late.pending("a")).toEqual({ id: "a", second: 2 });
  await vi.waitFor(() => expect(groups).toHaveLength(1));
  expect(groups[0]).toEqual([
    { id: "a", second: 2 },
    { id: "b", second: 1 },
  ]);
  expect(late.pending("a")).toBeUndefined();
  await late.flush();
  expect(groups).toHaveLength(1);
});

it("does not hand over what was forgotten", async () => {
  const { groups, late, note } = collecting(60_000);
  note("a", 1);
  late.forget("a");
  await late.flush();
  expect(groups).toEqual([]);
});

it("is done with what it was writing already when it has flushed", async () => {
  const done: string[] = [];
  const late = new LateWrites<string>(
    60_000,
    async (group) => {
      await new Promise((resolve) => setTimeout(resolve, 10));
      done.push(...group);
    },
    () => {},
  );
  late.note("a", "a");
  void late.flush();
  late.note("b", "b");
  void late.flush();
  await late.flush();
  expect(done).toEqual(["a", "b"]);
});

it("reports a failed write and goes on", async () => {
  const errors: unknown[] = [];
  let fails = true;
  const late = new LateWrites<Note>(
    60_000,
    async () => {
      if (fails) throw new Error("down");
    },
    (error) => void errors.push(error),
  );
  late.note("a", { id: "a", second: 1 });
  await late.flush();
  fails = false;
  late.note("a", { id: "a", second: 2 });
  await late.flush();
  expect(errors).toHaveLength(1);
});
