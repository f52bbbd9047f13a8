import type { FoundTable } from "../family-ddl.ts";

/** A foreign key as a catalogue knows it. */
export interface FoundForeignKey {
  readonly name: string;
  readonly schema: string;
  readonly table: string;
  readonly targetSchema: string;
  readonly target: string;
}

/** The foreign keys that lead to a table which is dropped before the key's own table; they are in the way. */
export function forwardKeys(
  dropOrder: readonly FoundTable[],
  keys: readonly FoundForeignKey[],
): readonly FoundForeignKey[] {
  const positions = new Map(dropOrder.map(({ schema, name }, position) => [JSON.stringify([schema, name]), position]));
  return keys.filter((key) => {
    const own = positions.get(JSON.stringify([key.schema, key.table]));
    const target = positions.get(JSON.stringify([key.targetSchema, key.target]));
    return own !== undefined && target !== undefined && target < own;
  });
}
