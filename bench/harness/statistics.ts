/** A median with the interval that holds it with 95 % confidence. */
export interface Estimate {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

const RESAMPLES = 2_000;

export function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.round(part * (sorted.length - 1))))]!;
}

/** The median of some values, with a bootstrap interval. The same values always give the same. */
export function estimate(values: readonly number[]): Estimate {
  const random = generator(1);
  const medians = Array.from({ length: RESAMPLES }, () =>
    median(values.map(() => values[Math.floor(random() * values.length)]!)),
  );
  medians.sort((a, b) => a - b);
  return { median: median(values), low: quantile(medians, 0.025), high: quantile(medians, 0.975) };
}

/** The ratios of one contender's values to another's of the same rounds. */
export function pairedRatios(values: readonly number[], others: readonly number[]): Estimate {
  return estimate(values.map((value, round) => value / others[round]!));
}

/** Mulberry32: small, and good enough to draw rounds. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
