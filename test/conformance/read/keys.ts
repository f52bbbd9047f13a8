import type { BindKey } from "../../../src/index.ts";

/** How a case writes the default bind's key. */
const DEFAULT = "<default>";

/** The bind key that a case means. */
export function keyOf(label: string): BindKey {
  return label === DEFAULT ? null : label;
}

/** How a case writes a bind key. */
export function labelOf(key: BindKey): string {
  return key ?? DEFAULT;
}
