import type { SelectModifier, SelectModifierNode } from "kysely";

const LOCKS: ReadonlySet<SelectModifier | undefined> = new Set([
  "ForUpdate",
  "ForNoKeyUpdate",
  "ForShare",
  "ForKeyShare",
]);

/** Whether a modifier of a select locks its rows. */
export function isLock(modifier: SelectModifier | undefined): boolean {
  return LOCKS.has(modifier);
}

/** Whether a modifier says not to wait for locks. */
export function isWait({ modifier }: SelectModifierNode): boolean {
  return modifier === "NoWait" || modifier === "SkipLocked";
}
