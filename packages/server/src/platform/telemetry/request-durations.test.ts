import { AggregatorRegistry, Histogram, Registry } from "prom-client";
import { expect, it } from "vitest";
import { RequestDurations } from "./request-durations.ts";

const SECONDS = [0.0004, 0.001, 0.0011, 0.03, 0.5, 9, 10, 11];

it("says exactly what prom-client's own histogram says", async () => {
  const [ours, theirs] = [new Registry(), new Registry()];
  const durations = new RequestDurations(ours);
  const histogram = new Histogram({
    name: "ostiary_http_request_duration_seconds",
    help: "Time from the request's head to the end of the answer",
    labelNames: ["method", "route", "status"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers: [theirs],
  });
  for (const [i, seconds] of SECONDS.entries()) {
    const [method, route, status] = [
      i % 2 ? "GET" : "POST",
      i % 3 ? "/a" : "/b/:id",
      i % 4 ? 200 : 404,
    ] as const;
    durations.observe(method, route, status, seconds);
    histogram.observe({ method, route, status }, seconds);
  }
  const lines = async (registry: Registry) =>
    (await registry.metrics())
      .split("\n")
      .map((line) => line.replace(/\{(.*)\}/, (_, labels) => `{${labels.split(",").sort()}}`))
      .sort();
  expect(await lines(ours)).toEqual(await lines(theirs));
});

it("is summed up over processes", async () => {
  const registries = [new Registry(), new Registry()];
  for (const registry of registries) new RequestDurations(registry).observe("GET", "/a", 200, 0.02);
  const sums = AggregatorRegistry.aggregate(
    await Promise.all(registries.map((registry) => registry.getMetricsAsJSON())),
  );
  const text = await sums.metrics();
  expect(text).toMatch(/_count\{.*\} 2/);
  expect(text).toMatch(/_bucket\{.*le="0.025".*\} 2/);
});
