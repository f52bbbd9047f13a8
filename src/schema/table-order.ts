import type { ForeignKey, TableDirectory } from "./foreign-key.ts";
import type { AnyTable } from "./table.ts";

/** Tables in an order in which each comes after those that it refers to. */
export interface TableOrder {
  readonly tables: readonly AnyTable[];
  /** The foreign keys that lead to a later table, because the references go in a circle. */
  readonly circular: ReadonlySet<ForeignKey>;
}

/**
 * Sorts tables so that each comes after those that its foreign keys lead to; apart from that they keep their order.
 * A key to the own table, or to a table that is not among these, does not count.
 *
 * @see SQLAlchemy: `MetaData.sorted_tables`
 */
export function sortTables(tables: Iterable<AnyTable>, directory: TableDirectory): TableOrder {
  const waiting = new Set(tables);
  const targets = new Map<AnyTable, Map<ForeignKey, AnyTable>>();
  for (const table of waiting) {
    const leads = new Map<ForeignKey, AnyTable>();
    for (const key of table.foreignKeys) {
      const target = key.resolve(directory).table;
      if (target !== table && waiting.has(target)) leads.set(key, target);
    }
    targets.set(table, leads);
  }

  const sorted: AnyTable[] = [];
  const circular = new Set<ForeignKey>();
  while (waiting.size > 0) {
    const next = firstReady(waiting, targets) ?? tableOnCircle(waiting, targets);
    for (const [key, target] of targets.get(next)!) {
      if (waiting.has(target)) circular.add(key);
    }
    waiting.delete(next);
    sorted.push(next);
  }
  return { tables: sorted, circular };
}

type Targets = ReadonlyMap<AnyTable, ReadonlyMap<ForeignKey, AnyTable>>;

function openTarget(table: AnyTable, waiting: ReadonlySet<AnyTable>, targets: Targets): AnyTable | undefined {
  for (const target of targets.get(table)!.values()) if (waiting.has(target)) return target;
  return undefined;
}

function firstReady(waiting: ReadonlySet<AnyTable>, targets: Targets): AnyTable | undefined {
  for (const table of waiting) if (openTarget(table, waiting, targets) === undefined) return table;
  return undefined;
}

/** A table on a circle: every waiting table refers to another, so following the references comes back to one. */
function tableOnCircle(waiting: ReadonlySet<AnyTable>, targets: Targets): AnyTable {
  const seen = new Set<AnyTable>();
  let [table] = waiting;
  while (!seen.has(table!)) {
    seen.add(table!);
    table = openTarget(table!, waiting, targets);
  }
  return table!;
}
