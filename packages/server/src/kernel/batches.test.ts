import { expect, it } from "vitest";
import { Batches } from "./batches.ts";

/** Batches that end when the test says so. */
function controlled(places: number, size = 100) {
  const batches = new Batches<string, string>({ places, size, keyOf: (item) => item.slice(0, 1) });
  const seen: string[][] = [];
  const ends: ((error?: Error) => void)[] = [];
  const run = (items: string[]) => {
    seen.push(items);
    return new Promise<string[]>((resolve, reject) => {
      ends.push((error) => (error ? reject(error) : resolve(items.map((item) => item.toUpperCase()))));
    });
  };
  return {
    seen,
    end: (i: number, error?: Error) => ends[i]?.(error),
    submit: (item: string) => batches.submit(item, run),
  };
}

const tick = () => new Promise((resolve) => setImmediate(resolve));

it("does the first at once and those that come meanwhile together, each with its own answer", async () => {
  const { seen, end, submit } = controlled(1);
  const answers = ["a", "b", "c"].map(submit);
  expect(seen).toEqual([["a"]]);
  end(0);
  await tick();
  expect(seen).toEqual([["a"], ["b", "c"]]);
  end(1);
  expect(await Promise.all(answers)).toEqual(["A", "B", "C"]);
});

it("never has two of one key in a batch, and keeps the order of those", async () => {
  const { seen, end, submit } = controlled(1);
  const answers = ["x", "a1", "a2", "b", "a3"].map(submit);
  for (let i = 0; i < 4; i++) {
    end(i);
    await tick();
  }
  await Promise.all(answers);
  expect(seen).toEqual([["x"], ["a1", "b"], ["a2"], ["a3"]]);
});

it("has as many batches under way as there are places, of bounded size", async () => {
  const { seen, end, submit } = controlled(2, 2);
  const answers = ["a", "b", "c", "d", "e"].map(submit);
  expect(seen).toEqual([["a"], ["b"]]);
  end(0);
  await tick();
  expect(seen[2]).toEqual(["c", "d"]);
  for (const i of [1, 2]) end(i);
  await tick();
  end(3);
  expect(await Promise.all(answers)).toHaveLength(5);
});

it("fails all of a batch that fails, and nobody else", async () => {
  const { end, submit } = controlled(1);
  const [first, second, third] = ["a", "b", "c"].map(submit);
  end(0, new Error("broken"));
  await expect(first).rejects.toThrow("broken");
  await tick();
  end(1);
  expect(await Promise.all([second, third])).toEqual(["B", "C"]);
});
