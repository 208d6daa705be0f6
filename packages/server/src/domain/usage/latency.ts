/** Buckets for each doubling: a percentile is at most 9 % off. */
const PER_DOUBLING = 4;

/** The bucket of a duration in microseconds. */
export function bucketOf(microseconds: number): number {
  return microseconds < 1 ? 0 : Math.floor(Math.log2(microseconds) * PER_DOUBLING);
}

/** Milliseconds in the middle of a bucket, to three digits. */
export function millisecondsOf(bucket: number): number {
  return Number((2 ** ((bucket + 0.5) / PER_DOUBLING) / 1_000).toPrecision(3));
}
