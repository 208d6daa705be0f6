import { Agent as HttpAgent, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";

/** One request that is sent over and over. */
export interface Load {
  url: string;
  method: string;
  headers: Record<string, string>;
  body?: string;
}

export interface LoadResult {
  requests: number;
  perSecond: number;
  p50Milliseconds: number;
  p99Milliseconds: number;
  /** Broken connections and answers of 400 and above; they count as requests. */
  failed: number;
}

/** Sends requests for so many seconds, as many at a time as there are connections, each after the one before. */
export async function generateLoad(
  load: Load,
  { seconds, connections }: { seconds: number; connections: number },
): Promise<LoadResult> {
  const isSecure = load.url.startsWith("https:");
  const agent = isSecure
    ? new HttpsAgent({ keepAlive: true, maxSockets: connections })
    : new HttpAgent({ keepAlive: true, maxSockets: connections });
  const send = () => sendOnce(load, isSecure ? httpsRequest : httpRequest, agent);
  const times: number[] = [];
  let failed = 0;
  const began = performance.now();
  const end = began + seconds * 1_000;
  const worker = async () => {
    while (performance.now() < end) {
      const start = performance.now();
      if (!(await send())) failed++;
      times.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: connections }, worker));
  const elapsed = (performance.now() - began) / 1_000;
  agent.destroy();
  times.sort((a, b) => a - b);
  return {
    requests: times.length,
    perSecond: times.length / elapsed,
    p50Milliseconds: quantile(times, 0.5),
    p99Milliseconds: quantile(times, 0.99),
    failed,
  };
}

/** Of sorted numbers; 0 of none. */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

const PATIENCE_MILLISECONDS = 10_000;

/** @returns whether it was answered with a status below 400. */
function sendOnce(
  { url, method, headers, body }: Load,
  request: typeof httpRequest,
  agent: HttpAgent,
): Promise<boolean> {
  return new Promise((resolve) => {
    const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
    const sent = request(url, { method, headers: { ...headers, ...length }, agent }, (answer) => {
      answer.resume();
      answer.once("end", () => resolve((answer.statusCode ?? 500) < 400));
      answer.once("error", () => resolve(false));
    });
    sent.setTimeout(PATIENCE_MILLISECONDS, () => sent.destroy(new Error("timeout")));
    sent.once("error", () => resolve(false));
    sent.end(body);
  });
}
