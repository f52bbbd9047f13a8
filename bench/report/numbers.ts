import type { Estimate } from "../harness/statistics.ts";

/** A number with three digits that count. */
export function number(value: number): string {
  if (value === 0) return "0";
  const magnitude = Math.floor(Math.log10(Math.abs(value)));
  if (magnitude >= 2) return Math.round(value).toLocaleString("en-US");
  return value.toFixed(Math.min(4, Math.max(0, 2 - magnitude)));
}

/** A ratio, two decimals up to 10. */
export function ratio(value: number): string {
  return value < 10 ? value.toFixed(2) : value.toFixed(value < 100 ? 1 : 0);
}

/** A ratio with its interval. */
export function interval({ median, low, high }: Estimate): string {
  return `${ratio(median)} [${ratio(low)}–${ratio(high)}]`;
}

/** Bytes in a readable unit. */
export function bytes(value: number): string {
  if (value < 1_000) return `${Math.round(value)} B`;
  if (value < 1_000_000) return `${number(value / 1_000)} kB`;
  return `${number(value / 1_000_000)} MB`;
}
