import { expect, it } from "vitest";
import { aDatabase } from "../../testing/a-database.ts";
import { Places } from "./places.ts";

it("lets so many in, the others in the order they came, and gives up in time", async () => {
  const places = new Places(2, 30);
  await Promise.all([places.enter(), places.enter()]);
  const order: string[] = [];
  const third = places.enter().then(() => order.push("third"));
  const fourth = places.enter().then(() => order.push("fourth"));
  places.leave();
  await third;
  places.leave();
  await fourth;
  expect(order).toEqual(["third", "fourth"]);
  await expect(places.enter()).rejects.toThrow("timeout exceeded when trying to connect");
  places.leave();
  await places.enter();
});

it("transactions that need a second connection do not wait for each other", async () => {
  await using test = await aDatabase();
  const one = () => test.database.transaction((tx) => tx.outer.query<{ n: number }>("select 1 as n"));
  const rows = await Promise.all(Array.from({ length: 30 }, one));
  expect(rows.flat()).toHaveLength(30);
});
