import type { Metric, MetricObjectWithValues, MetricValueWithName, Registry } from "prom-client";

const NAME = "ostiary_http_request_duration_seconds";
const HELP = "Time from the request's head to the end of the answer";
/** Upper bounds in seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

interface Series {
  labels: { method: string; route: string; status: number };
  /** One more than there are bounds: the last counts what is above all. Not cumulative. */
  counts: number[];
  sum: number;
}

/**
 * The histogram of requests by method, route pattern and status. It is prom-client's histogram in what it says; in
 * how it counts it finds the series by two map look-ups, where prom-client hashes the labels at each observation: 2.5
 * of the 38 µs of a token verification.
 */
export class RequestDurations {
  readonly #byRoute = new Map<string, Map<string, Series>>();

  constructor(registry: Registry) {
    // The registry asks a metric for nothing but this; its type names more.
    const metric = {
      name: NAME,
      help: HELP,
      type: "histogram",
      aggregator: "sum",
      get: () => this.#values(),
    };
    registry.registerMetric(metric as unknown as Metric);
  }

  observe(method: string, route: string, status: number, seconds: number): void {
    const series = this.#find(method, route, status);
    let bucket = 0;
    while (bucket < BUCKETS.length && seconds > (BUCKETS[bucket] as number)) bucket++;
    series.counts[bucket] = (series.counts[bucket] ?? 0) + 1;
    series.sum += seconds;
  }

  #find(method: string, route: string, status: number): Series {
    let series = this.#byRoute.get(route);
    if (!series) {
      series = new Map();
      this.#byRoute.set(route, series);
    }
    const key = method + status;
    let one = series.get(key);
    if (!one) {
      one = { labels: { method, route, status }, counts: new Array(BUCKETS.length + 1).fill(0), sum: 0 };
      series.set(key, one);
    }
    return one;
  }

  async #values(): Promise<MetricObjectWithValues<MetricValueWithName<string>>> {
    const values = [...this.#byRoute.values()].flatMap((byKey) => [...byKey.values()].flatMap(toValues));
    return {
      name: NAME,
      help: HELP,
      type: "histogram",
      aggregator: "sum",
      values,
    } as unknown as MetricObjectWithValues<MetricValueWithName<string>>;
  }
}

/** In Prometheus' form: cumulative buckets, then sum and count. */
function toValues({ labels, counts, sum }: Series): MetricValueWithName<string>[] {
  let total = 0;
  const buckets = counts.map((count, i) => {
    total += count;
    return { labels: { ...labels, le: BUCKETS[i] ?? "+Inf" }, value: total, metricName: `${NAME}_bucket` };
  });
  return [
    ...buckets,
    { labels, value: sum, metricName: `${NAME}_sum` },
    { labels, value: total, metricName: `${NAME}_count` },
  ];
}
