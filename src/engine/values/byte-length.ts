/** Shorter text is not measured: each of its units takes at most three bytes. */
const SHORT = 256;
/** Maximum size of a number, a boolean or null, with the length and type before it. */
const SMALL = 24;

/** How many bytes a value takes at most in what is sent to a server. */
export function byteLength(value: unknown): number {
  if (typeof value === "string") return SMALL + (value.length <= SHORT ? value.length * 3 : Buffer.byteLength(value));
  return ArrayBuffer.isView(value) ? SMALL + value.byteLength : SMALL;
}

/** How many bytes several values take at most. */
export function byteLengths(values: readonly unknown[]): number {
  let sum = 0;
  for (let place = 0; place < values.length; place++) sum += byteLength(values[place]);
  return sum;
}
